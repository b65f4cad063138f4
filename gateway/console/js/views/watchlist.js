/** The watch-list: people, their photos, enrolment and removal; for administrators. */

import { api, photoUrl } from "../api.js";
import { h } from "../dom.js";
import { moment, t, tOr } from "../i18n.js";
import { facts } from "./common.js";
import { ThresholdLine } from "./threshold.js";

const CATEGORIES = ["wanted", "barred", "threat", "missing"];
const YEAR_MS = 365 * 24 * 3600 * 1000;

export class WatchList {
  constructor(app) {
    this.app = app;
    this.list = h("ul", { class: "tiles" });
    this.form = this.enrolForm();
    this.threshold = new ThresholdLine();
    this.element = h("div", { class: "page" }, h("h2", {}, t("nav.watchlist")), h("p", { class: "hint" }, t("watchlist.hint")),
      this.threshold.element, this.list, h("h2", {}, t("watchlist.add")), this.form);
    this.load();
  }

  enrolForm() {
    const field = (name, properties = {}) =>
      h("label", {}, t(`watchlist.${name}`), h("input", { name, required: true, maxlength: 500, ...properties }));
    const expiry = new Date(Date.now() + YEAR_MS).toISOString().slice(0, 10);
    const category = h("label", {}, t("match.category"),
      h("select", { name: "category" }, ...CATEGORIES.map((each) => h("option", { value: each }, t(`category.${each}`)))));
    return h("form", { class: "enrol", on: { submit: (event) => this.add(event) } },
      field("name"), category, field("reason"), field("authority"), field("valid_until", { type: "date", value: expiry }),
      h("label", {}, t("watchlist.photo"), h("input", { name: "photo", type: "file", accept: "image/jpeg,image/png", required: true })),
      h("button", { class: "primary", type: "submit" }, t("watchlist.add")));
  }

  async load() {
    try {
      const { items } = await api.people();
      const people = await Promise.all(items.map((each) => (each.photos ? each : api.person(each.id))));
      this.list.replaceChildren(...people.map((person) => this.tile(person)));
      if (!people.length) this.list.replaceChildren(h("li", { class: "muted" }, t("watchlist.none")));
    } catch (problem) {
      this.app.notice(problem);
    }
  }

  tile(person) {
    const photos = (person.photos ?? []).map((photo) =>
      h("img", { src: photoUrl(person.id, photo.id ?? photo), alt: t("evidence.enrolled") }));
    const add = h("input", { type: "file", accept: "image/jpeg,image/png", class: "visually-hidden",
      on: { change: (event) => this.addPhoto(person.id, event.target.files[0]) } });
    return h("li", { class: "tile" },
      h("div", { class: "row" }, h("strong", {}, person.name), h("span", { class: "muted" }, tOr(`category.${person.category}`, person.category))),
      h("div", { class: "photos" }, ...photos),
      facts([[t("watchlist.reason"), person.reason], [t("watchlist.authority"), person.authority],
        [t("watchlist.valid_until"), moment(person.valid_until)]]),
      h("div", { class: "row" }, h("label", { class: "file" }, t("watchlist.add_photo"), add),
        h("button", { class: "danger", on: { click: () => this.remove(person) } }, t("watchlist.remove"))));
  }

  async add(event) {
    event.preventDefault();
    const { photo, valid_until: until, ...person } = Object.fromEntries(new FormData(event.target));
    try {
      const created = await api.addPerson({ ...person, valid_until: new Date(`${until}T23:59:59`).toISOString() });
      await this.addPhoto(created.id, photo);
      event.target.reset();
    } catch (problem) {
      this.app.notice(problem);
    }
    this.load();
  }

  async addPhoto(id, file) {
    try {
      await api.addPhoto(id, file);
    } catch (problem) {
      this.app.notice(problem);
    }
    this.load();
  }

  async remove(person) {
    if (!confirm(t("watchlist.confirm_remove", { name: person.name }))) return;
    try {
      await api.removePerson(person.id);
    } catch (problem) {
      this.app.notice(problem);
    }
    this.load();
  }

  update(state) {
    this.threshold.update(state.threshold);
  }
}
