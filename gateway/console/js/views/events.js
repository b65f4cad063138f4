/** The history of events with filters, the newest first. */

import { api } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { EVENT_TYPES } from "../stream.js";
import { eventRow, typeText } from "./common.js";

const PAGE = 100;
const MOST = 1000;
const KNOWN = 500;
const SEVERITIES = ["critical", "high", "medium", "low", "info"];

export class Events {
  constructor(app) {
    this.app = app;
    this.list = h("ol", { class: "history" });
    this.more = h("button", { hidden: true, on: { click: () => this.guarded(() => this.older()) } }, t("events.more"));
    this.none = h("p", { class: "calm", hidden: true }, t("events.none"));
    const option = (value, text) => h("option", { value }, text);
    this.filter = h(
      "form",
      { class: "filters", on: { submit: (event) => event.preventDefault(), change: () => this.load() } },
      h("label", {}, t("events.type"), h("select", { name: "type" }, option("", t("events.all")),
        ...EVENT_TYPES.map((type) => option(type, typeText(type))))),
      h("label", {}, t("events.severity"), h("select", { name: "severity" }, option("", t("events.all")),
        ...SEVERITIES.map((each) => option(each, t(`severity.${each}`))))),
      h("label", {}, t("events.since"), h("input", { name: "since", type: "datetime-local" })),
      h("label", {}, t("events.until"), h("input", { name: "until", type: "datetime-local" })),
    );
    this.element = h("section", { class: "page" }, h("h2", {}, t("nav.events")), this.filter, this.list, this.none, this.more);
    this.incidents = {};
    this.begin();
  }

  /** First the incidents, so that rows can name their places. */
  async begin() {
    await this.guarded(async () => {
      const { items } = await api.incidents({ limit: KNOWN });
      this.incidents = Object.fromEntries(items.map((each) => [each.id, each]));
    });
    await this.load();
  }

  wanted() {
    const filled = [...new FormData(this.filter)].filter(([, value]) => value !== "");
    const query = Object.fromEntries(filled);
    for (const name of ["since", "until"]) if (query[name]) query[name] = new Date(query[name]).toISOString();
    return query;
  }

  row(frame) {
    return eventRow(frame, { ...this.incidents, ...this.app.state.incidents }, this.app.state.devices);
  }

  /** The newest that the filter lets through. */
  async load() {
    const asked = (this.asked = {});
    this.query = this.wanted();
    this.list.replaceChildren();
    this.newest = 0;
    await this.guarded(async () => {
      const page = await api.events({ last: PAGE, ...this.query });
      if (asked !== this.asked) return; // the filter was changed meanwhile
      this.newest = page.next;
      this.oldest = page.items[0]?.position ?? page.next + 1;
      this.list.replaceChildren(...page.items.map((each) => this.row(each)).reverse());
      if (!page.items.length) await this.older();
    });
    this.more.hidden = this.oldest <= 1;
    this.none.hidden = this.list.childElementCount > 0;
  }

  /** The next older ones: the journal is read forwards, so from ever further back until some are found. */
  async older() {
    const { asked, oldest } = this;
    let found = [];
    for (let back = PAGE; !found.length && this.oldest > 1; back *= 4) {
      const from = Math.max(0, oldest - 1 - back);
      found = await this.between(from, this.oldest);
      if (asked !== this.asked) return;
      this.oldest = from + 1;
    }
    this.list.append(...found.map((each) => this.row(each)).reverse());
    this.more.hidden = this.oldest <= 1;
  }

  /** All behind `from` and before `end` that the filter lets through, oldest first. */
  async between(from, end) {
    const found = [];
    for (let after = from; after < end - 1; ) {
      const page = await api.events({ after, limit: MOST, ...this.query });
      found.push(...page.items.filter((each) => each.position < end));
      if (page.items.length === 0 || page.next >= end) break;
      after = page.next;
    }
    return found;
  }

  async guarded(act) {
    try {
      await act();
    } catch (problem) {
      this.app.notice(problem);
    }
  }

  /** What happens while nothing is filtered comes on top. */
  update(state) {
    if (!this.newest || Object.keys(this.query).length) return;
    const fresh = state.events.filter((each) => each.position > this.newest);
    if (!fresh.length) return;
    this.list.prepend(...fresh.map((each) => this.row(each)));
    this.newest = fresh[0].position;
    this.forget();
  }

  /** The oldest rows of a page that stays open for days; they come back on demand. */
  forget() {
    if (this.list.childElementCount <= 2 * MOST) return;
    while (this.list.childElementCount > MOST) this.list.lastElementChild.remove();
    this.oldest = Number(this.list.lastElementChild.dataset.position);
    this.more.hidden = false;
  }
}
