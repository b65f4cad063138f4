/** The console's root: state, stream, sound and views are joined here and nowhere else. */

import { api, changes } from "./api.js";
import { h, isTyping } from "./dom.js";
import { loadLanguage, otherLanguage, t } from "./i18n.js";
import { Sound } from "./sound.js";
import { activeIncidents, awaitsEvidence, initialState, isTick, isWorse, reduce, soundOf } from "./store.js";
import { Stream } from "./stream.js";
import { problemText } from "./problems.js";
import { Shell } from "./views/shell.js";
import { SignIn, USED } from "./views/signin.js";
import { bindKeys } from "./keys.js";
import { announce, hush } from "./announce.js";

const REFRESH_MS = 10000;
const EVIDENCE_MS = 2000;
const BEAT_MS = 9000;
const RETRY_MS = 2000;

/** What went wrong with a call; null if nothing did. */
const problemOf = (call) => call.then(() => null, (problem) => problem);
/** Whether a call may do later: the gateway did not answer, or is not able to now. */
const passes = (problem) => problem.status === 0 || problem.status >= 500;

class Console {
  constructor(root) {
    this.root = root;
    this.state = initialState();
    this.sound = new Sound();
    this.view = null;
    this.drawing = false;
    this.stream = null;
  }

  /** Begin: language, one-time links, then the board or the sign-in. */
  async start() {
    await loadLanguage();
    const link = new URLSearchParams(location.hash.slice(1));
    if (link.size) history.replaceState(null, "", location.pathname);
    if (link.has("setup")) return this.beginSetUp(link.get("setup"));
    if (link.has("signin")) return this.enter(await problemOf(api.signInByLink(link.get("signin"))));
    return this.enter();
  }

  /** A link that is of no use any more leads to the sign-in, which says so. */
  async beginSetUp(setup) {
    const problem = await problemOf(api.checkSetUp(setup));
    return USED.has(problem?.body?.code) ? this.enter(problem) : this.showSignIn({ setup, problem });
  }

  /** @param {Object} [problem] why a link did not do, said at the sign-in or on the board */
  async enter(problem = null) {
    const me = await this.patiently(() => api.whoami()).catch(() => null);
    if (!me) return this.showSignIn({ problem });
    if (problem) this.notice(problem);
    this.dispatch({ type: "set", values: { me } });
    this.view = new Shell(this);
    this.root.replaceChildren(this.view.element);
    const missing = await problemOf(this.patiently(() => this.load()));
    if (missing?.status === 401) return this.link("rejected", {});
    if (missing) this.notice(missing);
    this.stream = new Stream((frame) => this.take(frame), (state, detail) => this.link(state, detail));
    this.sound.onChange = () => this.beat(true);
    this.stream.start(this.state.position);
    this.clock = setInterval(() => this.tick(), 1000);
    this.refresher = setInterval(() => this.refresh(), REFRESH_MS);
    this.watcher = setInterval(() => this.fetchEvidence(), EVIDENCE_MS);
    return undefined;
  }

  /** What a call answers; while the gateway does not answer, that is said and it is asked again. */
  async patiently(call) {
    for (let tries = 1; ; tries += 1) {
      try {
        return await call();
      } catch (problem) {
        if (!passes(problem)) throw problem;
      }
      if (this.view) this.dispatch({ type: "link", state: "connecting", detail: { tries } });
      else this.root.replaceChildren(h("p", { class: "fatal", role: "status" }, t("link.connecting", { tries })));
      await new Promise((resume) => setTimeout(resume, RETRY_MS));
    }
  }

  showSignIn(options) {
    this.stop();
    hush();
    this.view = new SignIn(this, options);
    this.root.replaceChildren(this.view.element);
  }

  stop() {
    this.stream?.stop();
    this.sound.play(null);
    clearInterval(this.clock);
    clearInterval(this.refresher);
    clearInterval(this.watcher);
  }

  async load() {
    const [incidents, ended, recent, situation] = await Promise.all(
      [api.incidents({ state: "open", limit: 500 }), api.incidents({ state: "resolved", limit: 100 }), api.events({ last: 100 }), api.situation()]);
    this.dispatch({ type: "set", values: { situation } });
    this.dispatch({ type: "incidents", items: [...ended.items, ...incidents.items] });
    this.dispatch({ type: "events", items: recent.items });
    this.dispatch({ type: "set", values: { position: Number(recent.next ?? 0) } });
    const [top] = activeIncidents(this.state);
    if (top && this.state.selected === null) this.select(top.id);
    await this.refresh();
  }

  async refresh() {
    const { era } = this;
    const [cameras, devices, destinations, threshold, protection, walks, situation, posts, outputs] = await Promise.all(
      [api.cameras(), api.devices(), api.destinations(), api.threshold(), api.protection(), api.walkTests(), api.situation(), api.posts(), api.outputs()]
        .map((call) => call.catch(() => null)),
    );
    if (era !== this.era) return undefined; // asked before this browser was told more, or less
    const values = {};
    if (protection) values.protection = protection;
    if (walks) values.walks = walks;
    if (situation && !this.beginning && situation.sees_discreet !== this.state.situation.sees_discreet) return this.begin();
    if (situation) values.situation = situation;
    if (posts) values.posts = posts;
    if (outputs) values.outputs = outputs.items;
    if (cameras) values.cameras = cameras.items;
    if (devices) values.devices = devices.items;
    if (destinations) values.destinations = destinations.items;
    if (threshold) values.threshold = threshold;
    this.dispatch({ type: "set", values });
    return undefined;
  }

  /** What this browser may be told has changed: begin anew with an empty memory. */
  begin() {
    const { me, view, notice } = this.state;
    this.beginning ??= (async () => {
      this.era = (this.era ?? 0) + 1;
      this.stop();
      this.state = { ...initialState(), me, view, notice };
      await this.enter();
      this.beginning = null;
    })();
    return this.beginning;
  }

  /** Tell the gateway that somebody is here, and whether this browser can sound. */
  beat(now = false) {
    if (!now && Date.now() - (this.beaten ?? 0) < BEAT_MS) return;
    this.beaten = Date.now();
    api.beat(this.sound.armed).catch(() => null);
  }

  take(frame) {
    this.dispatch({ type: "frame", frame });
    announce(frame.event);
    if (isTick(this.state, frame, Date.now() + this.state.clockOffset)) this.sound.tick();
    const { type, data } = frame.event;
    if (type === "campus.incident.opened" && this.state.selected === null) this.select(data.incident);
    else if (data?.incident && (data.incident === this.state.selected || !this.state.incidents[data.incident])) this.fetchIncident(data.incident);
    this.follow();
    if (/^campus\.(camera|button|destination|walktest|drill|flood)\./.test(type)) this.refreshSoon();
  }

  refreshSoon() {
    clearTimeout(this.soon);
    this.soon = setTimeout(() => this.refresh(), 300);
  }

  link(state, detail) {
    if (state === "live") this.beat();
    if (state === "rejected") {
      this.state = initialState();
      return this.showSignIn({ reason: t("signin.expired") });
    }
    return this.dispatch({ type: "link", state, detail });
  }

  /** Show an incident; one that somebody chose stays until he chooses another. */
  select(id, { byHand = false } = {}) {
    this.picked = byHand;
    this.dispatch({ type: "select", id });
    if (id) this.fetchIncident(id);
  }

  /** What is worse than the incident that is shown by itself takes its place: `A` is for what stands on top. */
  follow() {
    const [top] = activeIncidents(this.state);
    const shown = this.state.incidents[this.state.selected];
    if (this.picked || !shown || top?.state !== "raised" || top.id === shown.id || isTyping()) return;
    if (shown.state === "raised" && !isWorse(top, shown)) return;
    this.select(top.id);
    this.changedAt = Date.now();
  }

  async fetchIncident(id) {
    const incident = await api.incident(id).catch(() => null);
    if (incident) this.dispatch({ type: "incident", incident });
  }

  fetchEvidence() {
    if (awaitsEvidence(this.state, Date.now() + this.state.clockOffset)) this.fetchIncident(this.state.selected);
  }

  /** Send a command about an incident; who was first is told in words. */
  async command(id, verb, body = {}) {
    this.picked ||= id === this.state.selected;
    try {
      const incident = await api.command(id, verb, body);
      this.dispatch({ type: "incident", incident: incident.incident ?? incident });
      this.fetchIncident(id);
      return true;
    } catch (problem) {
      this.notice(problem);
      this.fetchIncident(id);
      return false;
    }
  }

  /** Show a problem, or a text, until it is dismissed or replaced, or something else succeeds. */
  notice(problem) {
    this.dispatch({ type: "set", values: { notice: problemText(problem) } });
  }

  /** What was said of the last try is over. */
  clearNotice() {
    if (this.state.notice !== null) this.dispatch({ type: "set", values: { notice: null } });
  }

  async switchLanguage() {
    await loadLanguage(otherLanguage());
    this.view = new Shell(this);
    this.root.replaceChildren(this.view.element);
    this.draw();
  }

  async signOut() {
    await api.signOut().catch(() => null);
    this.state = initialState();
    this.showSignIn({});
  }

  dispatch(action) {
    this.state = reduce(this.state, action);
    this.draw();
  }

  draw() {
    if (this.drawing) return;
    this.drawing = true;
    const paint = () => {
      this.drawing = false;
      this.view?.update?.(this.state);
      this.tick();
    };
    if (document.hidden) setTimeout(paint, 0);
    else requestAnimationFrame(paint);
  }

  tick() {
    if (!this.state.me) return;
    this.beat();
    this.sound.play(soundOf(this.state));
    this.view?.tick?.(Date.now() + this.state.clockOffset);
  }
}

const app = new Console(document.getElementById("app"));
bindKeys(app);
changes.addEventListener("made", () => app.clearNotice());
app.start().catch((error) => {
  document.getElementById("app").replaceChildren(h("p", { class: "fatal" }, String(error)));
});
