/** What several views draw the same way: severity marks, event rows, definition lists. */

import { h } from "../dom.js";
import { moment, t, tOr } from "../i18n.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
const SHAPES = { critical: "◆", high: "▲", medium: "●", low: "○", info: "–" };

/** Severity as shape and word; colour comes on top, never alone. */
export function severityMark(severity) {
  return h("span", { class: `severity ${severity}` }, `${SHAPES[severity] ?? "–"} ${t(`severity.${severity}`)}`);
}

/** The words for an event's type. */
export const typeText = (type) => tOr(`type.${type}`, type);

/** One line of the ticker and of the history. */
export function eventRow({ position, event }) {
  const subject = UUID.test(event.subject) ? "" : event.subject;
  const where = event.data?.place || event.data?.name || subject || "";
  return h(
    "li",
    { class: `event ${event.severity}` },
    h("time", { datetime: event.time }, moment(event.time)),
    severityMark(event.severity),
    h("span", { class: "what" }, typeText(event.type)),
    h("span", { class: "where" }, where),
    event.data?.late && h("span", { class: "late" }, lateText(event)),
    event.drill && h("span", { class: "drill" }, t("drill")),
    h("span", { class: "muted position" }, position === null ? "…" : `#${position}`),
  );
}

/** That a press waited on its way: both its times. */
export const lateText = (event) =>
  t("press.late", { pressed: moment(event.time), arrived: event.recordedtime ? moment(event.recordedtime) : "…" });

/** Pairs of term and value; empty values are left out. */
export function facts(pairs) {
  const rows = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return h("dl", { class: "facts" }, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

/** What else a guard must know of an incident at a glance, in words. */
export function badges(incident, situation) {
  const marks = [
    incident.drill && h("span", { class: "drill" }, t("drill")),
    incident.during_drill && h("span", { class: "real" }, t("incident.during_drill")),
    incident.group && h("span", { class: "badge" }, t("incident.group")),
    situation.first === incident.id && h("span", { class: "badge" }, t("incident.first")),
    incident.hidden > 0 && h("span", { class: "badge" }, t("incident.hidden", { count: incident.hidden })),
    incident.active === false && h("span", { class: "badge" }, t("incident.over")),
    incident.discreet && h("span", { class: "badge" }, t("incident.discreet")),
  ].filter(Boolean);
  return marks.length > 0 && h("span", { class: "badges" }, ...marks);
}
