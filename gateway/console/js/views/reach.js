/** Which buttons would not reach the office now, and what may end it soon for the others. */

import { h, syncList } from "../dom.js";
import { faultName } from "../faults.js";
import { t, tOr } from "../i18n.js";

/** Words for reasons and warnings; a trouble that only the device knows keeps its own name. */
export const inWords = (names) => names.map((each) => tOr(`reach.${each}`, "") || faultName(each)).join(" · ");

export class Reach {
  constructor() {
    this.sum = h("p", { class: "sum", role: "status" });
    this.list = h("ul", { class: "reach" });
    this.element = h("section", {}, h("h2", {}, t("reach.title")), this.sum, this.list);
  }

  /** @param {{items: Array, reaching: number, not_reaching: number}|null} protection */
  update(protection) {
    if (!protection) return;
    const { items, reaching, not_reaching: missing } = protection;
    const text = missing ? t("reach.some", { missing, all: items.length }) : t("reach.all", { all: reaching });
    this.sum.textContent = items.length ? text : t("protection.none");
    this.sum.classList.toggle("bad", missing > 0);
    const shown = items.filter((each) => !each.reaches || each.warnings.length);
    syncList(this.list, shown, (each) => each.device, () => h("li"), (row, each) => this.fill(row, each));
  }

  fill(row, each) {
    const signature = JSON.stringify(each);
    if (row.dataset.signature === signature) return;
    row.dataset.signature = signature;
    row.className = each.reaches ? "warned" : "cut";
    row.replaceChildren(
      h("span", { class: "mark" }, each.reaches ? "▲" : "✕"),
      h("strong", {}, each.place || each.name || each.device),
      h("span", { class: "muted" }, each.name || each.device),
      h("span", { class: "why" }, inWords([...each.reasons, ...each.warnings])),
    );
  }
}
