/** This browser as a guards' post, and all the others: who is there, and can they hear. */

import { api } from "../api.js";
import { fill, h } from "../dom.js";
import { moment, t } from "../i18n.js";

export class Posts {
  constructor(app) {
    this.app = app;
    this.admin = app.state.me.role === "admin";
    this.list = h("ul", { class: "tiles" });
    this.mine = h("div", {});
    this.element = h("section", {}, h("h2", {}, t("post.title")), this.mine, this.list);
  }

  update({ posts }) {
    const signature = JSON.stringify(posts);
    if (signature === this.signature) return;
    this.signature = signature;
    const mine = posts.items.find((each) => each.id === posts.this);
    this.drawMine(mine);
    const tiles = posts.items.map((each) => this.tile(each, each.id === posts.this));
    const others = posts.others.map((each) => h("li", { class: "tile" }, h("div", { class: "row" }, h("strong", {}, each.user), this.sound(each)),
      h("p", { class: "muted" }, t("post.unnamed"))));
    fill(this.list, ...tiles, ...others);
  }

  /** Only when this browser's post has changed, because somebody may be typing. */
  drawMine(mine) {
    const signature = JSON.stringify([mine?.name, mine?.place, mine?.discreet_safe]);
    if (signature === this.mineSignature) return;
    this.mineSignature = signature;
    fill(this.mine, mine ? h("p", {}, t("post.this", { name: mine.name }), " ", this.mark(mine)) : h("p", { class: "hint" }, t("post.none")),
      this.admin && this.form(mine));
  }

  mark(post) {
    return h("span", { class: "muted" }, post.discreet_safe ? t("post.safe") : t("post.unsafe"));
  }

  sound(live) {
    if (!live) return h("span", { class: "pill" }, t("post.away"));
    return h("span", { class: `pill ${live.sound ? "good" : "bad"}` }, live.sound ? t("sound.on") : t("post.mute"));
  }

  tile(post, isMine) {
    const seen = post.live?.seen ?? post.seen;
    return h("li", { class: "tile" },
      h("div", { class: "row" }, h("strong", {}, post.name, isMine && ` · ${t("post.here")}`), this.sound(post.live)),
      h("p", { class: "muted" }, [post.place, post.live?.user, seen && moment(seen)].filter(Boolean).join(" · ")),
      this.mark(post),
      this.admin && h("button", { class: "danger", on: { click: () => this.act(() => api.removePost(post.id)) } }, t("post.remove")));
  }

  form(mine) {
    const field = (name, value, required) =>
      h("label", {}, t(`post.${name}`), h("input", { name, value: value ?? "", required, maxlength: name === "name" ? 64 : 200 }));
    return h("form", { class: "enrol post", on: { submit: (event) => this.enrol(event) } },
      field("name", mine?.name, true), field("place", mine?.place, false),
      h("label", { class: "check wide" }, h("input", { type: "checkbox", name: "discreet_safe", checked: mine?.discreet_safe }), t("post.discreet")),
      h("button", { type: "submit" }, mine ? t("post.again") : t("post.enrol")));
  }

  enrol(event) {
    event.preventDefault();
    const data = new FormData(event.target);
    const post = { name: data.get("name"), place: data.get("place"), discreet_safe: data.has("discreet_safe") };
    return this.act(() => api.enrolPost(post));
  }

  async act(what) {
    try {
      await what();
    } catch (problem) {
      this.app.notice(problem);
    }
    this.app.beat(true);
    this.app.refresh();
  }
}
