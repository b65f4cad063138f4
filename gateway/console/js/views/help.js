/** The keys of the console, on one card. */

import { h } from "../dom.js";
import { t } from "../i18n.js";

const KEYS = ["A", "J", "K", "R", "N", "S", "Y", "X", "U", "Esc", "?"];

export class Help {
  constructor() {
    const rows = KEYS.flatMap((key) => [h("dt", {}, h("kbd", {}, key)), h("dd", {}, t(`key.${key}`))]);
    const close = h("button", { class: "primary", on: { click: () => this.element.close() } }, t("banner.dismiss"));
    this.element = h("dialog", { class: "help" }, h("h2", {}, t("help.title")), h("dl", {}, ...rows), close);
  }

  toggle() {
    if (this.element.open) this.element.close();
    else this.element.showModal();
  }
}
