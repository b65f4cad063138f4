/** The frame around every view: top bar, banners, navigation, protection strip. */

import { api } from "../api.js";
import { h, setText } from "../dom.js";
import { clock, elapsed, t } from "../i18n.js";
import { protection } from "../store.js";
import { Board } from "./board.js";
import { Drill } from "./drill.js";
import { Events } from "./events.js";
import { Help } from "./help.js";
import { Protection } from "./protection.js";
import { WatchList } from "./watchlist.js";

const VIEWS = { board: Board, events: Events, protection: Protection, drill: Drill, watchlist: WatchList };
const ADMIN_ONLY = new Set(["watchlist"]);

/** For so long after the sign-in nothing is lost yet. */
const FIRST_CONTACT_MS = 3000;

export class Shell {
  constructor(app) {
    this.app = app;
    this.help = new Help();
    this.link = h("span", { class: "pill", role: "status" });
    this.soundPill = h("button", { class: "pill", on: { click: () => this.toggleSound() } });
    this.clock = h("time", { class: "clock" });
    this.banners = h("div", { class: "banners" });
    this.begun = Date.now();
    this.strip = h("footer", { class: "strip" });
    this.nav = h("nav", { "aria-label": t("nav.label") }, ...this.tabs());
    this.main = h("main", { id: "main" });
    this.element = h("div", { class: "shell" }, this.topBar(), this.banners, this.main, this.strip, this.help.element);
    this.open(app.state.view);
  }

  tabs() {
    const allowed = Object.keys(VIEWS).filter((name) => !ADMIN_ONLY.has(name) || this.app.state.me.role === "admin");
    return allowed.map((name) =>
      h("button", { class: "tab", data: { view: name }, on: { click: () => this.open(name) } }, t(`nav.${name}`)),
    );
  }

  topBar() {
    const { me } = this.app.state;
    const press = (kind) => () => api.demoPress(kind).catch((problem) => this.app.notice(problem));
    return h(
      "header",
      { class: "top" },
      h("strong", { class: "site" }, me.site ?? "Campus Gateway"),
      this.nav,
      h("span", { class: "grow" }),
      me.demo && h("button", { class: "demo", on: { click: press("press") } }, t("demo.press")),
      this.link,
      this.soundPill,
      this.clock,
      h("span", { class: "muted who" }, me.username),
      h("button", { class: "plain", on: { click: () => this.app.switchLanguage() } }, t("language.other")),
      h("button", { class: "plain keys", "aria-label": t("help.title"), on: { click: () => this.toggleHelp() } }, "?"),
      h("button", { class: "plain", on: { click: () => this.app.signOut() } }, t("signin.out")),
    );
  }

  open(name) {
    this.app.state = { ...this.app.state, view: name };
    this.content = new VIEWS[name](this.app);
    this.main.replaceChildren(this.content.element);
    for (const tab of this.nav.children) {
      if (tab.dataset.view === name) tab.setAttribute("aria-current", "page");
      else tab.removeAttribute("aria-current");
    }
    this.app.draw();
  }

  toggleHelp() {
    this.help.toggle();
  }

  async toggleSound() {
    if (this.app.sound.armed) this.app.sound.silence(30);
    else await this.app.sound.arm();
    this.app.tick();
  }

  update(state) {
    const live = state.link.state === "live";
    const begins = !live && !state.link.tries && Date.now() - this.begun < FIRST_CONTACT_MS;
    this.element.classList.toggle("stale", !live && !begins);
    this.link.className = `pill ${live ? "good" : begins ? "" : "bad"}`;
    setText(this.link, live ? t("link.live") : begins ? t("link.begins") : t("link.connecting", { tries: state.link.tries }));
    this.drawBanners(state, live || begins);
    this.drawStrip(state);
    this.content.update(state);
  }

  drawBanners(state, live) {
    const banners = [];
    if (!live) banners.push(h("p", { class: "banner bad", role: "alert" }, t("banner.stale")));
    for (const event of state.unstored) {
      const text = t("banner.unstored", { name: event.data.name || event.subject, place: event.data.place });
      banners.push(h("p", { class: "banner emergency", role: "alert" }, text));
    }
    if (state.situation.drill) banners.push(this.drillBanner(state.situation.drill));
    if (state.situation.flood) {
      banners.push(h("p", { class: "banner flood", role: "status" }, t("banner.flood", { count: state.situation.grouped })));
    }
    if (state.notice) {
      const dismiss = () => this.app.dispatch({ type: "set", values: { notice: null } });
      banners.push(h("p", { class: "banner notice", role: "status" }, state.notice,
        h("button", { class: "plain", on: { click: dismiss } }, t("banner.dismiss"))));
    }
    const signature = banners.map((each) => each.textContent + (each.dataset.until ?? "")).join("|");
    if (signature === this.bannerSignature) return;
    this.bannerSignature = signature;
    this.banners.replaceChildren(...banners);
  }

  drillBanner(drill) {
    return h("p", { class: "banner drilling", role: "status", data: { until: drill.until } },
      h("span", {}, t("banner.drill", { name: drill.actor }), drill.note && ` · ${drill.note}`), h("strong", { class: "elapsed" }));
  }

  drawStrip(state) {
    const counts = protection(state);
    const parts = Object.entries(counts).map(([kind, [good, bad, unheard]]) => {
      const said = [[good, "strip.ok"], [bad, `strip.bad.${kind}`], [unheard, "device.unheard"]];
      const told = said.filter(([count], place) => count || (place === 0 && !bad && !unheard));
      const text = `${t(`strip.${kind}`)} ${told.map(([count, key]) => `${count} ${t(key)}`).join(" · ")}`;
      return h("button", { class: `part ${bad ? "bad" : ""}`, on: { click: () => this.open("protection") } }, text);
    });
    parts.push(...this.warnings(state));
    const signature = parts.map((each) => each.textContent).join("|");
    if (signature === this.stripSignature) return;
    this.stripSignature = signature;
    this.strip.replaceChildren(...parts);
  }

  /** What all posts must know: buttons that reach nobody or are out of service, a walk test that is on, tests that are due. */
  warnings({ protection: view }) {
    if (!view) return [];
    const words = [
      view.not_reaching && t("strip.unreached", { count: view.not_reaching }),
      view.out_of_service?.some((each) => each.confirmed) &&
        t("strip.out_of_service", { count: view.out_of_service.filter((each) => each.confirmed).length }),
      view.walk_test && t("strip.walk"),
      view.test_due.length && t("strip.test_due", { count: view.test_due.length }),
    ];
    return words.filter(Boolean).map((text) => h("button", { class: "part bad", on: { click: () => this.open("protection") } }, text));
  }

  tick(now) {
    const { sound } = this.app;
    setText(this.clock, clock(new Date(now)));
    this.soundPill.className = `pill ${sound.armed ? "good" : "bad"}`;
    const text = sound.silenced ? t("sound.silenced", { seconds: sound.silenced }) : t("sound.on");
    setText(this.soundPill, sound.armed ? text : t("sound.off"));
    const drilling = this.banners.querySelector(".drilling");
    if (drilling) setText(drilling.lastChild, elapsed((new Date(drilling.dataset.until) - now) / 1000));
    this.content.tick?.(now);
  }
}
