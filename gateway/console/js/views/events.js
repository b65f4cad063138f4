/** The history of events with filters. */

import { api } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { EVENT_TYPES } from "../stream.js";
import { eventRow, typeText } from "./common.js";

const PAGE = 100;
const SEVERITIES = ["critical", "high", "medium", "low", "info"];

export class Events {
  constructor(app) {
    this.app = app;
    this.list = h("ol", { class: "history" });
    this.more = h("button", { on: { click: () => this.load(false) } }, t("events.more"));
    const option = (value, text) => h("option", { value }, text);
    this.filter = h(
      "form",
      { class: "filters", on: { submit: (event) => event.preventDefault(), change: () => this.load(true) } },
      h("label", {}, t("events.type"), h("select", { name: "type" }, option("", t("events.all")),
        ...EVENT_TYPES.map((type) => option(type, typeText(type))))),
      h("label", {}, t("events.severity"), h("select", { name: "severity" }, option("", t("events.all")),
        ...SEVERITIES.map((each) => option(each, t(`severity.${each}`))))),
      h("label", {}, t("events.since"), h("input", { name: "since", type: "datetime-local" })),
      h("label", {}, t("events.until"), h("input", { name: "until", type: "datetime-local" })),
    );
    this.element = h("section", { class: "page" }, h("h2", {}, t("nav.events")), this.filter, this.list, this.more);
    this.load(true);
  }

  query() {
    const filled = [...new FormData(this.filter)].filter(([, value]) => value !== "");
    const query = Object.fromEntries(filled);
    for (const name of ["since", "until"]) if (query[name]) query[name] = new Date(query[name]).toISOString();
    return query;
  }

  async load(anew) {
    if (anew) {
      this.after = 0;
      this.list.replaceChildren();
    }
    try {
      const page = await api.events({ after: this.after, limit: PAGE, ...this.query() });
      this.list.prepend(...page.items.map(eventRow).reverse());
      this.after = page.next;
      this.more.hidden = page.items.length < PAGE;
    } catch (problem) {
      this.app.notice(problem);
    }
  }

  update() {}
}
