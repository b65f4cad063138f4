/** Keys of the console; ignored while somebody types. */

import { activeIncidents } from "./store.js";

const SILENCE_SECONDS = 30;
/** So long an incident that took the place of another by itself cannot have been read. */
const UNREAD_MS = 1000;

/** Bind the keys to the console. */
export function bindKeys(app) {
  document.addEventListener("keydown", (press) => {
    if (document.querySelector("dialog[open]")) {
      if (press.key === "?") app.view.toggleHelp?.();
      return; // the browser closes it by Escape; what lies behind it is not seen
    }
    if (!app.state.me || press.ctrlKey || press.metaKey || press.altKey) return;
    if (press.target.closest?.("input, textarea, select")) {
      if (press.key === "Escape") press.target.blur();
      return;
    }
    const action = ACTIONS[press.key.toLowerCase()];
    if (!action) return;
    press.preventDefault();
    action(app);
  });
  document.addEventListener("pointerdown", () => app.sound.arm(), { once: true });
  document.addEventListener("keydown", () => app.sound.arm(), { once: true });
}

const detailOf = (app) => app.state.incidents[app.state.selected];

/** The selected incident while the board shows it. */
const seen = (app) => (app.state.view === "board" ? detailOf(app) : undefined);

function move(app, step) {
  const list = activeIncidents(app.state);
  const index = list.findIndex((each) => each.id === app.state.selected);
  const next = list[Math.min(Math.max(index + step, 0), list.length - 1)];
  if (next) app.select(next.id, { byHand: true });
}

function verify(app, verdict) {
  const incident = seen(app);
  if (incident?.kind === "campus.face.matched") app.command(incident.id, "verify", { verdict });
}

/** Nobody acknowledges what is not before the eyes: what is not shown, or waits elsewhere, is shown first. */
function acknowledge(app) {
  const incident = seen(app);
  if (Date.now() - (app.changedAt ?? 0) < UNREAD_MS) return;
  if (incident?.state === "raised") app.command(incident.id, "acknowledge", { expected_state: "raised" });
  else showNext(app);
}

function showNext(app) {
  if (app.state.view !== "board") app.view.open("board");
  const selected = detailOf(app);
  const [top] = activeIncidents(app.state);
  const free = !selected || selected.state === "resolved" || (selected.state !== "raised" && top?.state === "raised");
  if (top && free) app.select(top.id, { byHand: true });
}

const ACTIONS = {
  a: acknowledge,
  j: (app) => move(app, 1),
  k: (app) => move(app, -1),
  s: (app) => app.sound.silence(SILENCE_SECONDS),
  r: (app) => document.querySelector("[data-focus=resolve]")?.focus(),
  n: (app) => document.querySelector("[data-focus=note]")?.focus(),
  y: (app) => verify(app, "confirmed"),
  u: (app) => verify(app, "unsure"),
  x: (app) => verify(app, "rejected"),
  escape: (app) => app.select(null),
  "?": (app) => app.view.toggleHelp?.(),
};
