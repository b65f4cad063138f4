/** The procedure (预案) of an incident: steps that a guard ticks off, each with who did it and when. */

import { fill, h } from "../dom.js";
import { moment, t } from "../i18n.js";

export class Procedure {
  constructor(app) {
    this.app = app;
    this.element = h("section", { class: "procedure", "aria-label": t("procedure.title") });
  }

  update(incident, procedure, mayAct) {
    const signature = JSON.stringify([incident.id, procedure, mayAct]);
    if (signature === this.signature) return;
    this.signature = signature;
    this.element.hidden = !procedure;
    if (!procedure) return;
    const done = procedure.steps.filter((each) => each.done).length;
    fill(this.element,
      h("h3", {}, procedure.title, h("span", { class: "muted" }, ` ${done} / ${procedure.steps.length}`)),
      h("ol", {}, ...procedure.steps.map((each) => this.step(incident, each, mayAct))));
  }

  step(incident, { step, text, done }, mayAct) {
    const tick = () => this.app.command(incident.id, "check", { step, done: !done });
    return h("li", {}, h("button", { class: done ? "step done" : "step", "aria-pressed": String(Boolean(done)), disabled: !mayAct, on: { click: tick } },
      h("span", { class: "mark", "aria-hidden": "true" }, done ? "✓" : step),
      h("span", {}, text, done && h("small", {}, ` ${done.by} ${moment(done.at)}`))));
  }
}
