/**
 * The stream of events: one EventSource, a watchdog, and a rebuild where the browser gives up.
 * A frozen gateway sends no error, so silence itself is taken as the loss of the link.
 */

import { streamUrl } from "./api.js";

const SILENCE_MS = 8000;
const WAITS_MS = [500, 1000, 2000, 5000];

export class Stream {
  /**
   * @param {(frame: {position: number|null, event: Object}) => void} onEvent
   * @param {(state: string, detail: Object) => void} onLink live, connecting or rejected
   */
  constructor(onEvent, onLink) {
    this.onEvent = onEvent;
    this.onLink = onLink;
    this.after = 0;
    this.tries = 0;
    this.heard = 0;
    this.source = null;
    this.timer = null;
    this.stopped = false;
  }

  /** Begin behind a position. */
  start(after) {
    this.after = after;
    this.heard = Date.now();
    this.open();
    this.watchdog = setInterval(() => this.watch(), 1000);
  }

  /** End for good. */
  stop() {
    this.stopped = true;
    clearInterval(this.watchdog);
    clearTimeout(this.timer);
    this.source?.close();
    this.source = null;
  }

  open() {
    this.source?.close();
    this.onLink("connecting", { tries: this.tries });
    const source = new EventSource(streamUrl(this.after));
    this.source = source;
    source.onerror = () => source.readyState === EventSource.CLOSED && this.again();
    source.addEventListener("heartbeat", (message) => this.beat(JSON.parse(message.data)));
    source.addEventListener("unstored", (message) => {
      this.alive();
      this.onEvent({ position: null, event: JSON.parse(message.data) });
    });
    source.onopen = () => this.alive();
    for (const type of EVENT_TYPES) source.addEventListener(type, (message) => this.take(message));
  }

  take(message) {
    this.alive();
    const position = Number(message.lastEventId);
    if (position <= this.after) return;
    this.after = position;
    this.onEvent({ position, event: JSON.parse(message.data) });
  }

  beat(data) {
    this.alive();
    this.onLink("live", { serverTime: data.time, position: data.position ?? data.last_position });
  }

  alive() {
    this.heard = Date.now();
    this.tries = 0;
    this.onLink("live", {});
  }

  watch() {
    if (Date.now() - this.heard > SILENCE_MS && this.source?.readyState !== EventSource.CLOSED) this.again();
  }

  again() {
    this.source?.close();
    this.heard = Date.now();
    const wait = WAITS_MS[Math.min(this.tries, WAITS_MS.length - 1)];
    this.tries += 1;
    this.onLink("connecting", { tries: this.tries });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.check(), wait);
  }

  async check() {
    const answer = await fetch("/api/v1/session", { credentials: "same-origin", signal: AbortSignal.timeout(SILENCE_MS) }).catch(() => null);
    if (this.stopped) return;
    if (answer?.status === 401) this.onLink("rejected", {});
    else if (answer === null || answer.status >= 500) this.again();
    else this.open();
  }
}

const BUTTON = ["pressed", "cleared", "tampered", "lost", "restored", "battery_low", "tested", "test_due",
  "service_asked", "out_of_service", "in_service"];
const CAMERA = ["lost", "restored", "tampered", "input_triggered", "motion", "fault", "reported"];
const INCIDENT = ["opened", "acknowledged", "escalated", "dispatched", "noted", "resolved", "raised_again",
  "shelved", "unshelved", "checked"];
const OTHER = ["face.matched", "face.verified", "flood.started", "flood.ended", "drill.started", "drill.ended",
  "watchlist.changed", "destination.failing", "destination.recovered", "evidence.purged", "gateway.started",
  "gateway.stopped", "gateway.fault", "walktest.started", "walktest.ended"];

/** Every type that the gateway sends. */
export const EVENT_TYPES = [
  ...BUTTON.map((name) => `campus.button.${name}`),
  ...CAMERA.map((name) => `campus.camera.${name}`),
  ...INCIDENT.map((name) => `campus.incident.${name}`),
  ...OTHER.map((name) => `campus.${name}`),
];
