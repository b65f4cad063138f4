/** Faults of the gateway in the guard's language: by their name and reason, else as the gateway or a device words them. */

import { language, t, tOr } from "./i18n.js";

export const FAULT = "campus.gateway.fault";
const BESIDE = ["taken", "unsent", "more"];
const PANEL = "panel_";

/** The words for a fault's name; a trouble that only the device knows keeps its own. */
export function faultName(fault) {
  if (fault?.startsWith(PANEL)) return t("gatewayfault.panel", { code: fault.slice(PANEL.length) });
  return tOr(`gatewayfault.${fault}`, fault);
}

/**
 * What exactly is wrong, and what to do about it; nothing more of what is over.
 * @param {{reason?: string, figures?: Object, detail?: string, cleared?: boolean}} data of the event
 */
export function faultDetail({ reason, figures = {}, detail, cleared }) {
  if (cleared) return "";
  const key = [`faultdetail.${reason}`, `problem.${reason}`].find((each) => reason && tOr(each, ""));
  if (!key) return detail ?? "";
  const beside = BESIDE.filter((name) => name in figures).map((name) => `faultdetail.${name}`);
  return [key, ...beside].map((each) => t(each, figures)).join(language() === "zh-CN" ? "。" : ". ");
}

/** Name and detail of a fault in one line. */
export const faultText = (data) =>
  [faultName(data.fault), data.cleared && t("gatewayfault.cleared"), faultDetail(data)].filter(Boolean).join(" · ");
