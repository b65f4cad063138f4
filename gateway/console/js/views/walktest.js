/** The walk test: started, ticked off button by button, ended, and its report. */

import { api, walkReportUrl } from "../api.js";
import { fill, h, syncList } from "../dom.js";
import { elapsed, moment, t } from "../i18n.js";
import { inWords } from "./reach.js";

const MINUTES = 60;
const PEOPLE = ["guard", "admin"];
const QUIET = new Set(["silent", "duress"]);

/** A press of the walk was a test; of a silent or duress button also what it would have been. */
export function tickText({ kind }) {
  const quiet = QUIET.has(kind) && t(`kind.${kind}`);
  return [t("kind.test"), quiet].filter(Boolean).join(" · ");
}

/** Whether a press of a device would reach the office now; a tick alone says that it was stored. */
export function reachText(reach) {
  if (!reach) return "";
  if (!reach.reaches) return t("walk.cut", { why: inWords(reach.reasons) });
  return [t("walk.reaches"), inWords(reach.warnings)].filter(Boolean).join(" · ");
}

export class WalkTest {
  constructor(app) {
    this.app = app;
    this.head = h("div", { class: "row" });
    this.list = h("ol", { class: "ticks" });
    this.element = h("section", { class: "walk" }, h("h2", {}, t("walk.title")),
      h("p", { class: "muted" }, t("walk.explain")), this.head, this.list);
  }

  /**
   * @param {{current: string|null, items: Array}|null} walks
   * @param {{items: Array}|null} protection whether each button reaches the office now
   */
  update(walks, protection) {
    if (!walks) return;
    const reach = new Map((protection?.items ?? []).map((each) => [each.device, each]));
    const walk = walks.items[0];
    const on = Boolean(walk) && walk.id === walks.current;
    this.draw(walk, on);
    syncList(this.list, walk?.ticks ?? [], (each) => each.device, () => h("li"), (row, each) => this.tick(row, each, reach.get(each.device)));
  }

  draw(walk, on) {
    const signature = JSON.stringify([walk?.id, on, walk?.pressed, this.app.state.me?.role]);
    if (signature === this.signature) return;
    this.signature = signature;
    const may = PEOPLE.includes(this.app.state.me?.role);
    this.left = on && h("time", { class: "elapsed" });
    this.until = on ? new Date(walk.until).getTime() : 0;
    const counts = walk && { pressed: walk.pressed, all: walk.ticks.length };
    fill(
      this.head,
      h("strong", { class: on ? "on" : "" }, walk ? t(on ? "walk.on" : "walk.last", { ...counts, at: moment(walk.started) }) : t("walk.never")),
      this.left,
      h("span", { class: "grow" }),
      walk && h("a", { class: "button", href: walkReportUrl(walk.id), download: true }, t("walk.report")),
      may && (on ? this.button("walk.end", () => api.endWalkTest(walk.id)) : this.button("walk.start", () => api.startWalkTest(MINUTES))),
    );
  }

  button(words, act) {
    const press = async () => {
      await act().catch((problem) => this.app.notice(problem));
      await this.app.refresh();
    };
    return h("button", { class: words === "walk.end" ? "primary" : "", on: { click: press } }, t(words));
  }

  tick(row, each, reach) {
    const signature = JSON.stringify([each, reach]);
    if (row.dataset.signature === signature) return;
    row.dataset.signature = signature;
    const cut = reach && !reach.reaches;
    row.className = cut ? "cut" : each.pressed ? "done" : "";
    row.replaceChildren(
      h("span", { class: "mark" }, cut ? "✕" : each.pressed ? "✓" : "○"),
      h("strong", {}, each.place || each.name || each.device),
      h("span", { class: "muted" }, each.name || each.device),
      h("span", { class: "why" }, [each.pressed ? `${moment(each.pressed)} ${tickText(each)}` : t("walk.waiting"), reachText(reach)].filter(Boolean).join(" · ")),
    );
  }

  /** The time that is left. */
  clock(now) {
    if (this.left) this.left.textContent = elapsed((this.until - now) / 1000);
  }
}
