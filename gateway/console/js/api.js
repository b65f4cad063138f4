/** Calls of /api/v1; an answer that is an error becomes a Problem (RFC 9457). */

const BASE = "/api/v1";
const BEAT = "/posts/heartbeat";
/** How long a question may go unanswered: behind a frozen gateway questions would pile up, and commands behind them. */
const PATIENCE_MS = 15000;
const QUIET = new Set([BEAT, "/setup/check"]);

/** Tells with `made` that the gateway took a change. */
export const changes = new EventTarget();

/** What the gateway answered instead of a result. */
export class Problem extends Error {
  constructor(status, body) {
    super(body.detail || body.title || `HTTP ${status}`);
    this.status = status;
    this.body = body;
  }
}

async function call(method, path, body) {
  const options = { method, credentials: "same-origin", headers: {} };
  if (method === "GET") options.signal = AbortSignal.timeout(PATIENCE_MS);
  if (body instanceof FormData) options.body = body;
  else if (body !== undefined) {
    options.headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(body);
  }
  let answer;
  try {
    answer = await fetch(BASE + path, options);
  } catch {
    throw new Problem(0, { title: "unreachable" });
  }
  if (answer.ok && method !== "GET" && !QUIET.has(path)) changes.dispatchEvent(new Event("made"));
  if (answer.status === 204) return null;
  const json = (answer.headers.get("Content-Type") ?? "").includes("json");
  const content = json ? await answer.json() : {};
  if (!answer.ok) throw new Problem(answer.status, content);
  return content;
}

const serviceOf = (id) => `/devices/${encodeURIComponent(id)}/out-of-service`;
const commandId = () => crypto.randomUUID();

export const api = {
  whoami: () => call("GET", "/session"),
  signIn: (username, password) => call("POST", "/session", { username, password }),
  signInByLink: (token) => call("POST", "/session/link", { token }),
  signOut: () => call("DELETE", "/session"),
  checkSetUp: (token) => call("POST", "/setup/check", { token }),
  setUp: (token, username, password) => call("POST", "/setup", { token, username, password }),
  events: (query) => call("GET", `/events?${new URLSearchParams(query)}`),
  incidents: (query = {}) => call("GET", `/incidents?${new URLSearchParams(query)}`),
  incident: (id) => call("GET", `/incidents/${encodeURIComponent(id)}`),
  command: (id, verb, body) =>
    call("POST", `/incidents/${encodeURIComponent(id)}/${verb}`, { command_id: commandId(), ...body }),
  real: (id) => call("POST", `/incidents/${encodeURIComponent(id)}/real`),
  situation: () => call("GET", "/situation"),
  beat: (sound) => call("POST", BEAT, { sound }),
  posts: () => call("GET", "/posts"),
  enrolPost: (post) => call("POST", "/posts", post),
  removePost: (id) => call("DELETE", `/posts/${encodeURIComponent(id)}`),
  outputs: () => call("GET", "/outputs"),
  testOutput: (id) => call("POST", `/outputs/${encodeURIComponent(id)}/test`),
  drill: () => call("GET", "/drill"),
  drills: () => call("GET", "/drills"),
  startDrill: (drill) => call("POST", "/drill", drill),
  endDrill: () => call("DELETE", "/drill"),
  pressInDrill: (device) => call("POST", "/drill/press", { command_id: commandId(), device }),
  people: () => call("GET", "/watchlist/people"),
  person: (id) => call("GET", `/watchlist/people/${encodeURIComponent(id)}`),
  addPerson: (person) => call("POST", "/watchlist/people", person),
  changePerson: (id, person) => call("PATCH", `/watchlist/people/${encodeURIComponent(id)}`, person),
  removePerson: (id) => call("DELETE", `/watchlist/people/${encodeURIComponent(id)}`),
  addPhoto: (id, file) => {
    const form = new FormData();
    form.append("photo", file);
    return call("POST", `/watchlist/people/${encodeURIComponent(id)}/photos`, form);
  },
  removePhoto: (id, photo) => call("DELETE", photoUrl(id, photo).slice(BASE.length)),
  threshold: () => call("GET", "/watchlist/threshold"),
  cameras: () => call("GET", "/cameras"),
  devices: () => call("GET", "/devices"),
  destinations: () => call("GET", "/destinations"),
  protection: () => call("GET", "/protection"),
  walkTests: () => call("GET", "/walktests"),
  startWalkTest: (minutes) => call("POST", "/walktests", { minutes }),
  endWalkTest: (id) => call("DELETE", `/walktests/${encodeURIComponent(id)}`),
  askOutOfService: (id, request) => call("POST", serviceOf(id), request),
  confirmOutOfService: (id, asked) => call("POST", `${serviceOf(id)}/confirm`, { asked }),
  endOutOfService: (id) => call("DELETE", serviceOf(id)),
  addDevice: (device) => call("POST", "/devices", device),
  removeDevice: (id) => call("DELETE", `/devices/${encodeURIComponent(id)}`),
  testDevice: (id, seconds) => call("POST", `/devices/${encodeURIComponent(id)}/test`, { seconds }),
  demoPress: (kind) => call("POST", "/demo/press", { kind }),
};

/** Address of the stream of events behind a position. */
export const streamUrl = (after) => `${BASE}/events/stream?after=${after}`;
/** Address of a piece of evidence. */
export const evidenceUrl = (id) => `${BASE}/evidence/${encodeURIComponent(id)}`;
/** Address of an enrolment photo. */
export const photoUrl = (person, photo) =>
  `${BASE}/watchlist/people/${encodeURIComponent(person)}/photos/${encodeURIComponent(photo)}`;
/** Address of a camera's newest picture; `stamp` keeps the browser from showing an old one. */
export const snapshotUrl = (camera, stamp) => `${BASE}/cameras/${encodeURIComponent(camera)}/snapshot.jpg?at=${stamp}`;
/** Address of a walk test's report. */
export const walkReportUrl = (walk) => `${BASE}/walktests/${encodeURIComponent(walk)}/report.txt`;
/** Address of a drill's report, a table. */
export const drillReportUrl = (drill) => `${BASE}/drills/${encodeURIComponent(drill)}/report.csv`;
