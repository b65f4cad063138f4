/** Speaks through the live regions: alarms at once, the rest politely and not more often than every 3 seconds. */

import { tOr } from "./i18n.js";
import { lateText } from "./views/common.js";
import { here, whereText } from "./where.js";

const PAUSE_MS = 3000;
let last = 0;

/** Say nothing any more of what was announced: who signs in next, and nobody else, is told anew. */
export function hush() {
  last = 0;
  for (const id of ["alert-region", "status-region"]) document.getElementById(id).textContent = "";
}

/** Tell assistive technology of an event. */
export function announce(event) {
  const late = event.data?.late && lateText(event);
  const where = whereText(here(event.data?.place), event.data?.name);
  const text = [tOr(`type.${event.type}`, event.type), where, late].filter(Boolean).join(" ");
  if (event.severity === "critical") document.getElementById("alert-region").textContent = text;
  else if (Date.now() - last > PAUSE_MS) {
    last = Date.now();
    document.getElementById("status-region").textContent = text;
  }
}
