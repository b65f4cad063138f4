/** What several views draw the same way: severity marks, event rows, definition lists. */

import { h } from "../dom.js";
import { FAULT, faultName, faultText } from "../faults.js";
import { moment, t, tOr } from "../i18n.js";
import { here, isOwn, nameOf, whereText } from "../where.js";

const UUID = /^[0-9a-f]{8}-[0-9a-f-]{27}$/;
const CAMERA_FAULT = "campus.camera.fault";
const REPORTED = "campus.camera.reported";
const PRESSED = "campus.button.pressed";
const SHAPES = { critical: "◆", high: "▲", medium: "●", low: "○", info: "–" };

/** Severity as shape and word; colour comes on top, never alone. */
export function severityMark(severity) {
  return h("span", { class: `severity ${severity}` }, `${SHAPES[severity] ?? "–"} ${t(`severity.${severity}`)}`);
}

/** The words for an event's type. */
export const typeText = (type) => tOr(`type.${type}`, type);

/** How a button was pressed, if that was not aloud: somebody under duress needs other help than who could press unseen. */
const QUIET = new Set(["silent", "duress"]);
const quietText = (press) => (QUIET.has(press) ? t(`quiet.${press}`) : "");

/** The words for an event: its type, and for a press how it was pressed. */
export const eventText = ({ type, data }) => (type === PRESSED && quietText(data?.kind)) || typeText(type);

/** What an incident is: the words for its kind, and for a fault which one. */
export function incidentText({ kind, fault, press }) {
  if (!fault) return quietText(press) || typeText(kind);
  return tOr(`gatewayfault.${fault}.incident`, "") || `${typeText(kind)} · ${faultName(fault)}`;
}

/** How far an incident is; one that was taken and stands raised again needs its acknowledgement anew (ISA-18.2, re-alarming). */
export const stateText = ({ state, owner }) =>
  state === "raised" && owner ? t("state.raised_again", { name: owner }) : t(`state.${state}`);

/** The words for a category of the watch-list; a program may have given one of its own. */
export const categoryText = (category) => tOr(`category.${category}`, "") || t("category.other", { category });

/** Name and place of an incident; a group of several has one place only. */
export function incidentWhere({ place, title, source, group }) {
  const name = group || UUID.test(title ?? "") ? "" : title;
  return { place: here(place) || here(name) || source || "", name: place && name && !place.includes(name) ? name : "" };
}

/** A device as people know it; its id while nothing better is known. */
function deviceName(devices, id) {
  const known = devices.find((each) => each.id === id);
  return known ? nameOf(known) : id;
}

/** Where an event was; what follows in an incident names the incident's place. */
function eventWhere({ subject, type, data = {} }, incidents, devices) {
  if (type === FAULT && data.device) return deviceName(devices, data.device);
  const about = incidents[data.incident] ?? {};
  const { place, name } = incidentWhere({ place: data.place || about.place, title: data.name || data.title || about.title, group: about.group });
  return whereText(place, name) || (UUID.test(subject) || data.incident || isOwn(subject) ? "" : subject ?? "");
}

/**
 * One line of the ticker and of the history.
 * @param {{position: number|null, event: Object}} frame
 * @param {Object} incidents those known, by id
 * @param {Array} devices those known, for their names
 */
export function eventRow({ position, event }, incidents = {}, devices = []) {
  return h(
    "li",
    { class: `event ${event.severity}`, data: { position } },
    h("time", { datetime: event.time }, moment(event.time)),
    severityMark(event.severity),
    h("span", { class: "what" }, eventText(event)),
    h("span", { class: "where" }, eventWhere(event, incidents, devices)),
    event.data?.late && h("span", { class: "late" }, lateText(event)),
    event.data?.out_of_service && h("span", { class: "badge out" }, t("incident.out_of_service")),
    event.drill && h("span", { class: "drill" }, t("drill")),
    h("span", { class: "muted position" }, position === null ? "…" : `#${position}`),
    event.type === FAULT && faultDetails(event.data, devices),
    event.type === CAMERA_FAULT && h("span", { class: "fault" }, cameraFaultText(event.data)),
    event.type === REPORTED && cameraReport(event.data),
  );
}

/** What is wrong with a camera, with its figures where the text names any; without a text, what to do in English. */
function cameraFaultText({ state, remedy, figures }) {
  const key = `camerafault.${state}`;
  return tOr(key, "") ? t(key, figures ?? {}) : remedy;
}

/** The daily report of cameras: the sums, and to be opened each camera that was not well. */
function cameraReport({ day, complete, cameras = [] }) {
  const sum = (name) => cameras.reduce((total, each) => total + each[name], 0);
  const minutes = minutesOf(sum("seconds_without_picture"));
  const ill = cameras.filter((each) => !each.well);
  const words = t("camerareport.summary", { day, cameras: cameras.length, well: cameras.length - ill.length, losses: sum("losses"), minutes });
  const text = complete === false ? `${words} · ${t("camerareport.incomplete")}` : words;
  if (!ill.length) return h("span", { class: "muted" }, text);
  return h("details", {}, h("summary", {}, text), facts(ill.map((each) => [each.name || each.camera, cameraDayText(each)])));
}

const minutesOf = (seconds) => Math.round(seconds / 60);
const total = (counts = {}) => Object.values(counts).reduce((sum, each) => sum + each, 0);

/** What was wrong with one camera on one day. */
export function cameraDayText(camera) {
  const { losses, lost, seconds_without_picture: seconds, clock_offset_seconds: offset } = camera;
  const [faults, tampered] = [total(camera.faults), total(camera.tampered)];
  return [
    (losses > 0 || seconds > 0) && t("camerareport.losses", { losses, minutes: minutesOf(seconds) }),
    lost && t("camerareport.lost"),
    faults > 0 && t("camerareport.faults", { count: faults }),
    tampered > 0 && t("camerareport.tampered", { count: tampered }),
    camera.recording_gap && t("camerareport.recording_gap"),
    Math.abs(offset ?? 0) > 5 && t("camerareport.clock", { seconds: Math.round(offset) }),
  ].filter(Boolean).join(" · ");
}

/** What is wrong, and of which message, to be opened. */
function faultDetails(data, devices) {
  const words = faultText(data);
  const { device, topic, payload_size: size } = data;
  const more = [[t("gatewayfault.device"), device && deviceName(devices, device)], [t("gatewayfault.topic"), topic], [t("gatewayfault.size"), size],
    [t("gatewayfault.client"), data.figures?.client]];
  if (!more.some(([, value]) => value)) return h("span", { class: "fault" }, words);
  return h("details", { class: "fault" }, h("summary", {}, words), facts(more));
}

/** That a press waited on its way: both its times. */
export const lateText = (event) =>
  bothTimes({ pressed: event.time, arrived: event.recordedtime });

const bothTimes = ({ pressed, arrived }) =>
  t("press.late", { pressed: moment(pressed), arrived: arrived ? moment(arrived) : "…" });

/** A picture; while there is none to be had that is said, and no browser's sign of something broken. */
export function picture(src, alt) {
  const image = h("img", { src, alt, loading: "eager" });
  image.addEventListener("error", () => image.replaceWith(h("p", { class: "nopicture" }, t("picture.none"))));
  return image;
}

/** Pairs of term and value; empty values are left out. */
export function facts(pairs) {
  const rows = pairs.filter(([, value]) => value !== undefined && value !== null && value !== "");
  return h("dl", { class: "facts" }, ...rows.flatMap(([term, value]) => [h("dt", {}, term), h("dd", {}, value)]));
}

/** What else a guard must know of an incident at a glance, in words. */
export function badges(incident, situation) {
  const marks = [
    incident.drill && h("span", { class: "drill" }, t("drill")),
    incident.out_of_service && h("span", { class: "badge out" }, t("incident.out_of_service")),
    incident.late && h("span", { class: "late" }, bothTimes(incident.late)),
    incident.during_drill && h("span", { class: "real" }, t("incident.during_drill")),
    incident.group && h("span", { class: "badge" }, t("incident.group")),
    situation.first === incident.id && h("span", { class: "badge" }, t("incident.first")),
    incident.hidden > 0 && h("span", { class: "badge" }, t("incident.hidden", { count: incident.hidden })),
    incident.active === false && h("span", { class: "badge" }, t("incident.over")),
    incident.discreet && h("span", { class: "badge" }, t("incident.discreet")),
  ].filter(Boolean);
  return marks.length > 0 && h("span", { class: "badges" }, ...marks);
}
