/** The live board: active incidents, the selected one, and the ticker. */

import { evidenceUrl } from "../api.js";
import { fill, h, setText, syncList } from "../dom.js";
import { elapsed, moment, t } from "../i18n.js";
import { activeIncidents, shelvedIncidents } from "../store.js";
import { badges, eventRow, incidentText, incidentWhere, severityMark, stateText } from "./common.js";
import { whereText } from "../where.js";
import { IncidentPane } from "./incident.js";

const CARDS = 7;
const FACE = "campus.face.matched";
const LOOKS = 4, AGAIN_MS = 3000;

export class Board {
  constructor(app) {
    this.app = app;
    this.pane = new IncidentPane(app);
    this.cards = h("ol", { class: "cards" });
    this.all = false;
    this.asked = new Map(); // face warnings whose person and picture were asked for: how often, and when last
    this.more = h("button", { class: "plain more", "aria-expanded": "false", on: { click: () => this.toggleAll() } });
    this.shelf = h("details", { class: "shelf" }, h("summary", {}), h("ul", {}));
    this.calm = h("p", { class: "calm" }, t("board.calm"));
    this.ticker = h("ol", { class: "ticker", role: "log", "aria-live": "off" });
    this.pause = h("button", { class: "plain", "aria-pressed": "false", on: { click: () => this.togglePause() } });
    this.paused = false;
    this.element = h(
      "div",
      { class: "board" },
      h("section", { class: "incidents", "aria-label": t("board.incidents") },
        h("h2", {}, t("board.incidents")), this.calm, this.cards, this.more, this.shelf),
      this.pane.element,
      h("section", { class: "stream", "aria-label": t("board.events") },
        h("h2", {}, t("board.events"), this.pause), this.ticker),
    );
  }

  togglePause() {
    this.paused = !this.paused;
    this.pause.setAttribute("aria-pressed", String(this.paused));
    this.update(this.app.state);
  }

  toggleAll() {
    this.all = !this.all;
    this.more.setAttribute("aria-expanded", String(this.all));
    this.update(this.app.state);
  }

  update(state) {
    const active = activeIncidents(state);
    this.calm.hidden = active.length > 0;
    syncList(this.cards, this.all ? active : active.slice(0, CARDS), (each) => each.id, () => this.card(), (card, each) => this.fill(card, each, state));
    this.more.hidden = active.length <= CARDS;
    setText(this.more, this.all ? t("board.fewer") : t("board.more", { count: Math.max(0, active.length - CARDS) }));
    setText(this.pause, this.paused ? t("board.resume") : t("board.pause"));
    this.drawShelf(shelvedIncidents(state));
    if (!this.paused) syncList(this.ticker, state.events.slice(0, 60), (each) => String(each.position), (each) => eventRow(each, state.incidents, state.devices));
    this.pane.update(state);
    document.title = titleOf(active);
  }

  /** Select an incident; on a phone, where the list stands above it, go there. */
  open(id) {
    this.app.select(id, { byHand: true });
    const { top } = this.pane.element.getBoundingClientRect();
    if (top > innerHeight / 2) requestAnimationFrame(() => this.pane.element.scrollIntoView({ block: "start" }));
  }

  drawShelf(shelved) {
    const signature = JSON.stringify(shelved.map((each) => [each.id, each.shelf]));
    if (signature === this.shelfSignature) return;
    this.shelfSignature = signature;
    this.shelf.hidden = shelved.length === 0;
    setText(this.shelf.firstChild, t("shelf.title", { count: shelved.length }));
    fill(this.shelf.lastChild, ...shelved.map((each) => h("li", {}, h("button", { on: { click: () => this.open(each.id) } },
      h("strong", {}, wordsOf(incidentWhere(each))), ` ${incidentText(each)} · `, t("shelf.until", { time: moment(each.shelf.until), name: each.shelf.actor })))));
  }

  card() {
    const card = h("li", {}, h("button", { class: "card" }));
    card.firstChild.addEventListener("click", () => this.open(card.dataset.key));
    return card;
  }

  fill(card, incident, state) {
    const button = card.firstChild;
    button.className = `card ${incident.severity} ${incident.state}`;
    button.setAttribute("aria-pressed", String(incident.id === state.selected));
    card.dataset.opened = incident.opened;
    const signature = JSON.stringify([incident.state, incident.count, incident.owner, incident.level, incident.title, incident.place,
      incident.hidden, incident.active, incident.triggered, incident.press, incident.late, incident.match?.name, cropOf(incident)?.id, state.situation.first === incident.id]);
    if (card.dataset.signature === signature) return;
    card.dataset.signature = signature;
    const { place, name } = incidentWhere(incident);
    fill(
      button,
      h("span", { class: "row" }, severityMark(incident.severity), h("time", { class: "elapsed" })),
      h("strong", { class: "place" }, place),
      name && h("span", { class: "name" }, name),
      who(incident),
      h("span", {}, incidentText(incident),
        incident.count > 1 && ` ×${incident.count} · ${t("incident.last", { time: moment(incident.triggered ?? incident.updated) })}`),
      h("span", { class: "muted" }, stateText(incident), incident.state !== "raised" && incident.owner && ` · ${incident.owner}`,
        incident.level > 0 && ` · ${t("incident.level", { level: incident.level })}`),
      badges(incident, state.situation),
    );
  }

  /** Who passed a camera, and the picture, stand in the incident itself; the picture comes a moment behind it. */
  lookUp(now) {
    const faces = activeIncidents(this.app.state).slice(0, CARDS).filter((each) => each.kind === FACE && !each.group);
    this.asked = new Map(faces.map((each) => [each.id, this.asked.get(each.id) ?? { looks: 0, at: 0 }]));
    for (const each of faces) {
      const asked = this.asked.get(each.id);
      if ((each.match && cropOf(each)) || asked.looks >= LOOKS || now - asked.at < AGAIN_MS) continue;
      this.asked.set(each.id, { looks: asked.looks + 1, at: now });
      this.app.fetchIncident(each.id);
    }
  }

  tick(now) {
    this.lookUp(now);
    for (const card of this.cards.children) {
      const time = card.querySelector(".elapsed");
      if (time) setText(time, elapsed((now - new Date(card.dataset.opened).getTime()) / 1000));
    }
    this.pane.tick(now);
  }
}

const wordsOf = ({ place, name }) => whereText(place, name);

function titleOf(active) {
  const raised = active.filter((each) => each.state === "raised").length;
  return raised ? `(${raised}) ${t("board.alarm")} · Campus Gateway` : "Campus Gateway";
}

const cropOf = (incident) => (incident.evidence ?? []).find((each) => each.kind === "crop" && !each.purged);

/** Whom a face warning names, so far as this viewer may know it, with the face that was seen: two at one camera differ. */
function who(incident) {
  const crop = cropOf(incident);
  const name = incident.match?.name;
  if (incident.kind !== FACE || (!crop && !name)) return null;
  const face = crop && h("img", { class: "thumb", src: evidenceUrl(crop.id), alt: t("evidence.crop") });
  face?.addEventListener("error", () => face.remove());
  return h("span", { class: "row who" }, face, name && h("strong", {}, name));
}
