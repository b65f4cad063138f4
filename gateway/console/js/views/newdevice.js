/** A form by which an administrator adds an alarm device; its round-trip test comes next. */

import { api } from "../api.js";
import { h } from "../dom.js";
import { t } from "../i18n.js";
import { problemText } from "../problems.js";

const DIALECTS = ["campus", "zigbee2mqtt", "shelly1", "shelly2", "tasmota", "homie4", "homie5", "sia"];
const DEADLINE_SECONDS = 180;
const OPTIONAL = ["topic", "input", "account", "zone"];

export class NewDevice {
  constructor(app) {
    this.app = app;
    this.problem = h("p", { class: "problem", role: "alert" });
    const field = (name, attributes = {}) => h("label", {}, t(`newdevice.${name}`), h("input", { name, ...attributes }));
    this.dialect = h("input", { name: "dialect", value: "campus", required: true, list: "dialects" });
    this.form = h(
      "form",
      { class: "enrol", on: { submit: (event) => this.add(event) } },
      field("id", { required: true, pattern: "[A-Za-z0-9_\\-]{1,64}", autocomplete: "off" }),
      field("name", { maxlength: 200 }),
      field("place", { maxlength: 200 }),
      h("label", {}, t("newdevice.dialect"), this.dialect, h("datalist", { id: "dialects" }, ...DIALECTS.map((each) => h("option", { value: each })))),
      field("topic", { placeholder: "zigbee2mqtt/…" }),
      field("input"),
      field("account", { pattern: "[0-9A-Fa-f]{3,16}" }),
      field("zone", { pattern: "[0-9]{1,4}" }),
      field("health_deadline_seconds", { type: "number", min: 5, value: DEADLINE_SECONDS, required: true }),
      h("button", { type: "submit" }, t("newdevice.add")),
    );
    for (const input of this.form.querySelectorAll("input")) input.defaultValue = input.value; // what a reset gives back
    this.element = h("details", { class: "newdevice" }, h("summary", {}, t("newdevice.title")), this.form, this.problem);
  }

  async add(event) {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(this.form));
    for (const name of OPTIONAL) if (!fields[name]) delete fields[name];
    if (fields.account) fields.account = fields.account.toUpperCase();
    fields.health_deadline_seconds = Number(fields.health_deadline_seconds);
    this.problem.textContent = "";
    try {
      await api.addDevice(fields);
      this.form.reset();
      this.app.notice(t("newdevice.added", { name: fields.place || fields.name || fields.id }));
      await this.app.refresh();
    } catch (problem) {
      this.problem.textContent = problemText(problem);
    }
  }
}
