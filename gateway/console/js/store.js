/** The state of the console as a pure function: state × action → state. No DOM, no network. */

const TICKER_LENGTH = 200;
const DISCREET = new Set(["silent", "duress"]);
const CLOSED = new Set(["resolved"]);
const FACE = "campus.face.matched";
const EVIDENCE_MS = 15000;
const RANK = { critical: 0, high: 1, medium: 2, low: 3, info: 4 };

/** The state before anything is known. */
export function initialState() {
  return {
    me: null,
    discreetSafe: false,
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
    case "discreet":
      return { ...state, discreetSafe: action.safe };
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
  return seen && now - new Date(incident.updated ?? incident.opened).getTime() < EVIDENCE_MS;
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
  return event.type.startsWith("campus.incident.") ? takeIncident(next, event) : next;
}

const STATES = { acknowledged: "acknowledged", dispatched: "dispatched", resolved: "resolved" };

function takeIncident(state, event) {
  const { data } = event;
  const verb = event.type.slice("campus.incident.".length);
  const known = state.incidents[data.incident];
  let incident = known ?? { id: data.incident, state: "raised", count: 1, opened: event.time };
  incident = { ...incident, updated: event.time };
  if (verb === "opened") {
    incident = {
      ...incident, severity: event.severity, kind: data.kind, source: data.origin, title: data.title,
      place: data.place, discreet: data.discreet, drill: event.drill === true, opened: event.time,
    };
  } else if (verb === "raised_again") {
    incident.count = data.count;
    if (incident.state !== "resolved") incident.state = "raised";
  } else if (verb === "escalated") incident.level = data.level;
  else if (verb in STATES) {
    incident.state = STATES[verb];
    if (verb === "acknowledged") incident.owner = data.actor;
    if (verb === "resolved") incident.verdict = data.verdict;
  }
  return { ...state, incidents: { ...state.incidents, [incident.id]: incident } };
}

function withDetail(state, incident) {
  return {
    ...state,
    details: { ...state.details, [incident.id]: incident },
    incidents: { ...state.incidents, [incident.id]: { ...state.incidents[incident.id], ...incident } },
  };
}

/** Incidents that are not closed: unacknowledged first, then by severity, the oldest first. */
export function activeIncidents(state) {
  return Object.values(state.incidents)
    .filter((each) => !CLOSED.has(each.state) && (state.discreetSafe || !each.discreet))
    .sort(
      (a, b) =>
        Number(a.state !== "raised") - Number(b.state !== "raised") ||
        (RANK[a.severity] ?? 9) - (RANK[b.severity] ?? 9) ||
        a.opened.localeCompare(b.opened),
    );
}

/**
 * Whether a post may show an event: silent and duress presses, and what follows from them, only where that is safe.
 */
export function mayShow(state, event) {
  const { data } = event;
  const discreet = DISCREET.has(data?.kind) || data?.discreet || state.incidents[data?.incident]?.discreet;
  return state.discreetSafe || !discreet;
}

/** Which sound the state asks for: emergency, warning or none. */
export function soundOf(state) {
  const raised = activeIncidents(state).filter((each) => each.state === "raised" && !each.discreet);
  const audible = state.unstored.filter((each) => !DISCREET.has(each.data?.kind));
  if (audible.length || raised.some((each) => each.severity === "critical")) return "emergency";
  if (raised.length) return "warning";
  return state.link.state === "live" ? null : "chirp";
}

/** Counts of what protects: [ok, not ok] of cameras, buttons and destinations. */
export function protection(state) {
  const count = (list, bad) => [list.filter((each) => !bad(each)).length, list.filter(bad).length];
  return {
    cameras: count(state.cameras, (each) => each.status?.state !== "live"),
    devices: count(state.devices, (each) => each.status?.lost !== false),
    destinations: count(state.destinations, (each) => each.status?.state === "failing"),
  };
}
