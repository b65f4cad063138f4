/** Drills (演练): what is on, its times so far, beginning and ending one, and the reports of those before. */

import { api, drillReportUrl } from "../api.js";
import { fill, h, setText } from "../dom.js";
import { dated, elapsed, moment, t } from "../i18n.js";
import { calledIn, nameOf } from "../where.js";
import { facts } from "./common.js";

const STEPS = ["acknowledged", "dispatched", "resolved"];
const MINUTES = [10, 30, 60, 120];
const POLL_MS = 3000;

/** After how long a step was done, and by whom: who resolved nothing let the drill's end do it. */
export function stepText(step) {
  return step ? `${elapsed(step.seconds)} ${step.by || t("drill.with_end")}` : "–";
}

export class Drill {
  constructor(app) {
    this.app = app;
    this.admin = app.state.me.role === "admin";
    this.now = h("section", { class: "drill-now" });
    this.reports = h("section", {});
    this.element = h("div", { class: "page" }, h("h2", {}, t("nav.drill")), h("p", { class: "hint" }, t("drill.hint")), this.now, this.reports);
    this.load();
  }

  async load() {
    this.loaded = Date.now();
    try {
      const [current, past] = await Promise.all([api.drill(), api.drills()]);
      this.current = current;
      this.drawNow(current);
      this.drawPast(past.items.filter((each) => each.ended));
    } catch (problem) {
      this.app.notice(problem);
    }
  }

  drawNow(current) {
    if (current.drill) fill(this.now, ...this.running(current));
    else if (this.admin) {
      if (!this.now.querySelector("form")) fill(this.now, this.form(current));
    } else fill(this.now, h("p", { class: "calm" }, t("drill.none")));
  }

  running({ drill, times, destinations }) {
    this.left = h("strong", { class: "elapsed" });
    const press = (device) => h("button", { on: { click: () => this.act(() => api.pressInDrill(device)) } },
      t("drill.press", { device: this.nameOf(device) }), drill.pressed.includes(device) && " ✓");
    return [
      h("div", { class: "row" }, h("span", { class: "drill" }, t("drill")), this.left,
        this.admin && h("button", { class: "primary", on: { click: () => this.act(() => api.endDrill()) } }, t("drill.end"))),
      facts([[t("drill.announced"), drill.actor], [t("drill.until"), moment(drill.until)], [t("drill.note"), drill.note],
        [t("drill.takers"), this.takers(destinations)]]),
      this.admin && h("div", { class: "actions" }, ...(drill.devices.length ? drill.devices : this.app.state.devices.map((each) => each.id)).map(press)),
      this.table(times),
    ];
  }

  nameOf(device) {
    const known = this.app.state.devices.find((each) => each.id === device);
    return known ? nameOf(known) : device;
  }

  takers(destinations) {
    return Object.entries(destinations).map(([id, what]) => `${calledIn(this.app.state.destinations, id)}: ${t(`drill.taker.${what}`)}`).join(" · ") || t("drill.nobody");
  }

  form({ destinations }) {
    const boxes = this.app.state.devices.map((each) =>
      h("label", { class: "check" }, h("input", { type: "checkbox", name: "device", value: each.id }), nameOf(each)));
    const minutes = h("select", { name: "minutes" }, ...MINUTES.map((each) => h("option", { value: each }, t("drill.minutes", { minutes: each }))));
    minutes.value = "30";
    return h("form", { class: "enrol", on: { submit: (event) => this.start(event) } },
      h("label", {}, t("drill.length"), minutes),
      h("label", {}, t("drill.note"), h("input", { name: "note", maxlength: 500 })),
      h("fieldset", { class: "boxes" }, h("legend", {}, t("drill.devices")), ...boxes),
      h("p", { class: "muted wide" }, t("drill.takers"), ": ", this.takers(destinations)),
      h("button", { class: "primary", type: "submit" }, t("drill.start")));
  }

  start(event) {
    event.preventDefault();
    const data = new FormData(event.target);
    const drill = { minutes: Number(data.get("minutes")), note: data.get("note"), devices: data.getAll("device") };
    return this.act(() => api.startDrill(drill));
  }

  async act(what) {
    try {
      await what();
      this.now.replaceChildren();
    } catch (problem) {
      this.app.notice(problem);
    }
    await this.load();
    this.app.refreshSoon();
  }

  table(times) {
    if (!times.length) return h("p", { class: "muted" }, t("drill.no_presses"));
    const head = ["place", "button", "opened", ...STEPS].map((each) => h("th", { scope: "col" }, t(`drill.column.${each}`)));
    const rows = times.map((each) => h("tr", {}, h("th", { scope: "row" }, each.place, !each.drill && h("span", { class: "real" }, t("drill.real"))),
      h("td", {}, each.name), h("td", {}, moment(each.opened)), ...STEPS.map((step) => h("td", {}, stepText(each[step])))));
    return h("div", { class: "scroll" }, h("table", {}, h("thead", {}, h("tr", {}, ...head)), h("tbody", {}, ...rows)));
  }

  drawPast(past) {
    const reports = past.map((each) => h("details", {}, h("summary", {}, `${dated(each.started)} · ${each.actor}`, each.note && ` · ${each.note}`),
      this.table(each.times), h("a", { class: "button", href: drillReportUrl(each.id), download: true }, t("drill.report"))));
    fill(this.reports, h("h2", {}, t("drill.past")), ...(reports.length ? reports : [h("p", { class: "muted" }, t("drill.no_past"))]));
  }

  update() {}

  tick(now) {
    if (this.left && this.current?.drill) setText(this.left, t("drill.left", { time: elapsed((new Date(this.current.drill.until) - now) / 1000) }));
    if (this.current?.drill && Date.now() - this.loaded > POLL_MS) this.load();
  }
}
