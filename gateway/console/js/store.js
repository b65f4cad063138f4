/** The state of the console as a pure function: state × action → state. No DOM, no network. */

const TICKER_LENGTH = 200;
const DISCREET = new Set(["silent", "duress"]);
const LOSSES = new Set(["campus.button.lost", "campus.camera.lost", "campus.destination.failing"]);
const CLOSED = new Set(["resolved"]);
const FACE = "campus.face.matched";
const EVIDENCE_MS = 15000;
// The camera's own recording is fetched once the clip that has a gap is over.
const FETCH_MS = 120000;
const TICK_MS = 10000;
const KEPT_ENDED = 200;
const MOST_ENDED = 300;
const MOST_DETAILS = 20;
const RANK = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };

/** The state before anything is known. */
export function initialState() {
  return {
    me: null,
    view: "board",
    link: { state: "connecting", tries: 0 },
    clockOffset: 0,
    position: 0,
    events: [],
    unstored: [],
    incidents: {},
    details: {},
    selected: null,
    cameras: [],
    devices: [],
    destinations: [],
    protection: null,
    walks: null,
    outputs: [],
    posts: { items: [], others: [], this: null },
    situation: { flood: false, first: "", grouped: 0, drill: null, post: null, sees_discreet: false },
    notice: null,
  };
}

/**
 * The next state; the old one is left as it is.
 * @param {Object} state
 * @param {{type: string}} action
 */
export function reduce(state, action) {
  switch (action.type) {
    case "frame":
      return takeFrame(state, action.frame);
    case "incidents":
      return { ...state, incidents: Object.fromEntries(action.items.map((each) => [each.id, each])) };
    case "incident":
      return withDetail(state, action.incident);
    case "events":
      return { ...state, events: action.items.slice(-TICKER_LENGTH).reverse() };
    case "link":
      return takeLink(state, action);
    case "select":
      return { ...state, selected: action.id };
    case "set":
      return { ...state, ...action.values };
    default:
      return state;
  }
}

/**
 * Whether pictures or a clip of the selected incident may still come: they have no events of their own.
 * @param {Object} state
 * @param {number} now the gateway's time in milliseconds
 */
export function awaitsEvidence(state, now) {
  const incident = state.incidents[state.selected];
  const detail = state.details[state.selected];
  if (!incident || !detail) return false;
  if ((detail.evidence ?? []).some((each) => each.clip?.state === "recording")) return true;
  const seen = incident.kind === FACE || (detail.cameras ?? []).length > 0;
  const cut = (detail.evidence ?? []).some((each) => each.clip?.state === "cut_short");
  const fetched = (detail.evidence ?? []).some((each) => each.kind === "camera_clip");
  const most = cut && !fetched ? FETCH_MS : EVIDENCE_MS;
  return seen && now - new Date(incident.updated ?? incident.opened).getTime() < most;
}

function takeLink(state, { state: link, detail }) {
  const known = state.link.state === link && link === "live" ? state.link : { state: link, tries: detail.tries ?? 0 };
  const offset = detail.serverTime ? new Date(detail.serverTime).getTime() - Date.now() : state.clockOffset;
  return { ...state, link: known, clockOffset: offset };
}

function takeFrame(state, { position, event }) {
  if (position === null) return { ...state, unstored: [...state.unstored.filter((each) => each.id !== event.id), event] };
  const next = {
    ...state,
    position,
    events: [{ position, event }, ...state.events].slice(0, TICKER_LENGTH),
    unstored: state.unstored.filter((each) => each.id !== event.id),
  };
  if (event.type.startsWith("campus.incident.")) return takeIncident(next, event);
  return { ...next, situation: situationAfter(state.situation, event) };
}

/** Drill and flood are told to every post by their events; what else is in the situation stays. */
function situationAfter(situation, { type, data, time }) {
  switch (type) {
    case "campus.drill.started":
      return { ...situation, drill: { ...data, id: data.drill_id, started: time, pressed: [] } };
    case "campus.drill.ended":
      return { ...situation, drill: null };
    case "campus.flood.started":
      return { ...situation, flood: true, first: data.first, grouped: 0 };
    case "campus.flood.ended":
      return { ...situation, flood: false, first: "", grouped: 0 };
    default:
      return situation;
  }
}

const STATES = { acknowledged: "acknowledged", dispatched: "dispatched", resolved: "resolved" };

function takeIncident(state, event) {
  const { data } = event;
  const verb = event.type.slice("campus.incident.".length);
  const known = state.incidents[data.incident];
  if (!known && verb !== "opened") return state; // a note on one of long ago: it is asked for, not made up
  let incident = known ?? { id: data.incident, state: "raised", count: 1, opened: event.time };
  incident = { ...incident, updated: event.recordedtime ?? event.time };
  if (verb === "opened") {
    incident = {
      ...incident, severity: event.severity, kind: data.kind, source: data.origin, title: data.title,
      place: data.place, discreet: data.discreet, drill: event.drill === true, opened: event.time,
      triggered: event.time, during_drill: data.during_drill, press: data.press, lasting: data.lasting, active: true,
      late: lateOf(event), out_of_service: data.out_of_service === true,
    };
  } else if (verb === "raised_again") incident = raisedAgain(incident, event);
  else if (verb === "shelved") incident.shelf = { until: data.until, since: event.time, actor: data.actor, reason: data.reason };
  else if (verb === "unshelved") incident.shelf = null;
  else if (verb === "escalated") incident.level = data.level;
  else if (verb in STATES) {
    incident.state = STATES[verb];
    if (verb === "acknowledged") incident.owner = data.actor;
    if (verb === "resolved") Object.assign(incident, { verdict: data.verdict, resolved: event.time });
  }
  return { ...state, incidents: bounded({ ...state.incidents, [incident.id]: incident }, state.selected) };
}

/** All that are open, the one that is looked at, and the newest that are resolved: a console stays open for weeks. */
function bounded(incidents, selected) {
  const ended = Object.values(incidents).filter((each) => CLOSED.has(each.state) && each.id !== selected);
  if (ended.length <= MOST_ENDED) return incidents;
  const over = ended.sort((a, b) => (b.resolved ?? "").localeCompare(a.resolved ?? "")).slice(KEPT_ENDED);
  const gone = new Set(over.map((each) => each.id));
  return Object.fromEntries(Object.entries(incidents).filter(([id]) => !gone.has(id)));
}

/** Both times of a press that waited on its way; null if it did not. */
const lateOf = ({ data, time }) => (data.arrived ? { pressed: time, arrived: data.arrived } : null);

function raisedAgain(incident, { data, time }) {
  if (data.reason === "inhibited") return { ...incident, hidden: (incident.hidden ?? 0) + 1 };
  const again = { ...incident, count: data.count };
  if (data.press === "duress") again.press = data.press;
  if (data.arrived) again.late = lateOf({ data, time });
  if (data.reason !== "acknowledgement_timeout") Object.assign(again, { triggered: time, active: true });
  if (incident.state !== "resolved" && !incident.shelf) again.state = "raised";
  return again;
}

/** An answer that was overtaken by an event of the stream fills in what is not known, and takes nothing back. */
function withDetail(state, incident) {
  const known = state.incidents[incident.id];
  const overtaken = known?.updated && incident.updated && new Date(known.updated) > new Date(incident.updated);
  const others = Object.entries(state.details).filter(([id]) => id !== incident.id);
  return {
    ...state,
    details: Object.fromEntries([...others.slice(1 - MOST_DETAILS), [incident.id, incident]]),
    incidents: { ...state.incidents, [incident.id]: overtaken ? { ...incident, ...known } : { ...known, ...incident } },
  };
}

const unresolved = (state) => Object.values(state.incidents).filter((each) => !CLOSED.has(each.state));

/** Whether a loss is over, so that it only waits to be read. */
function isOver(incident) {
  return LOSSES.has(incident.kind) && !incident.active;
}

/** When its newest press, or match, came. */
const lastRaised = (incident) => incident.triggered ?? incident.opened;

/**
 * Incidents that are before the guard: unacknowledged first, losses that are over behind the others, real ones first,
 * then by severity. What nobody has taken stands with the newest on top: a silent press has no sound, and must not come
 * in behind what has been waiting (that is escalated). What is being handled keeps its order.
 */
export function activeIncidents(state) {
  return unresolved(state)
    .filter((each) => !each.shelf)
    .sort(
      (a, b) =>
        Number(a.state !== "raised") - Number(b.state !== "raised") ||
        Number(isOver(a)) - Number(isOver(b)) ||
        Number(Boolean(a.drill)) - Number(Boolean(b.drill)) ||
        (RANK[a.severity] ?? 9) - (RANK[b.severity] ?? 9) ||
        (a.state === "raised" ? lastRaised(b).localeCompare(lastRaised(a)) : a.opened.localeCompare(b.opened)),
    );
}

/** Whether one incident is more severe than another. */
export const isWorse = (one, other) => (RANK[one.severity] ?? 9) < (RANK[other.severity] ?? 9);

/** Incidents that were put aside, the one that comes back next first. */
export function shelvedIncidents(state) {
  return unresolved(state)
    .filter((each) => each.shelf)
    .sort((a, b) => a.shelf.until.localeCompare(b.shelf.until));
}

/**
 * Which sound the state asks for: emergency, warning, drill or chirp, or none. Losses of protection chirp only; a drill
 * has a sound of its own as long as nothing real sounds, and what is out of service chirps only.
 */
export function soundOf(state) {
  const raised = activeIncidents(state).filter((each) => each.state === "raised" && !each.discreet);
  const real = raised.filter((each) => !each.drill);
  const calling = real.filter((each) => !each.out_of_service);
  const audible = state.unstored.filter((each) => !DISCREET.has(each.data?.kind));
  if (audible.length || calling.some((each) => each.severity === "critical")) return "emergency";
  if (calling.some((each) => !LOSSES.has(each.kind))) return "warning";
  if (raised.some((each) => each.drill)) return "drill";
  return real.length || state.link.state !== "live" ? "chirp" : null;
}

/**
 * Whether a frame ticks a button off in the walk test that is on, so that posts hear it once. A silent button is never
 * heard, and nothing is that is told behind its time, as after a broken link.
 * @param {Object} state
 * @param {{event: Object}} frame
 * @param {number} now the gateway's time in milliseconds
 */
export function isTick(state, { event: { type, data, recordedtime } }, now) {
  if (type !== "campus.button.tested" || !data.trial || data.trial !== state.walks?.current) return false;
  return !DISCREET.has(data.kind) && Math.abs(now - new Date(recordedtime).getTime()) < TICK_MS;
}

/** Counts of what protects: [ok, not ok, not heard yet] of cameras, buttons and destinations. */
export function protection(state) {
  const heard = state.devices.filter((each) => each.status?.last_seen || each.status?.lost !== false);
  const count = (list, bad) => [list.filter((each) => !bad(each)).length, list.filter(bad).length];
  return {
    cameras: count(state.cameras, (each) => each.status?.state !== "live"),
    devices: [...count(heard, (each) => each.status?.lost !== false), state.devices.length - heard.length],
    destinations: count(state.destinations, (each) => each.status?.state === "failing"),
  };
}
