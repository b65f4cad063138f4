/** The watch-list: people, their photos, enrolment and removal; for administrators. */

import { api, photoUrl } from "../api.js";
import { h } from "../dom.js";
import { dated, t } from "../i18n.js";
import { problemText, warningText } from "../problems.js";
import { categoryText, facts, picture } from "./common.js";
import { ThresholdLine } from "./threshold.js";

const CATEGORIES = ["wanted", "barred", "threat", "missing"];
const YEAR_MS = 365 * 24 * 3600 * 1000;

export class WatchList {
  constructor(app) {
    this.app = app;
    this.list = h("ul", { class: "tiles" });
    this.pending = null; // who was listed by this form but has no photo yet: id and name
    this.said = new Map(); // what became of the last photo of a person
    this.reading = new Set(); // people whose photo is being read
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
      h("select", { name: "category", required: true }, h("option", { value: "", selected: true, disabled: true }, t("watchlist.choose")), ...CATEGORIES.map((each) => h("option", { value: each }, t(`category.${each}`)))));
    this.message = h("p", { class: "problem wide", role: "alert" });
    const form = h("form", { class: "enrol", on: { submit: (event) => this.add(event) } },
      field("name"), category, field("reason"), field("authority"), field("valid_until", { type: "date", value: expiry }),
      h("label", {}, t("watchlist.photo"), h("input", { name: "photo", type: "file", accept: "image/jpeg,image/png", required: true })),
      this.message, h("button", { class: "primary", type: "submit" }, t("watchlist.add")));
    for (const input of form.querySelectorAll("input:not([type=file])")) input.defaultValue = input.value; // what a reset gives back
    return form;
  }

  async load() {
    try {
      const { items } = await api.people();
      const people = await Promise.all(items.map((each) => (each.photos ? each : api.person(each.id))));
      this.names = new Map(people.map((each) => [each.id, each.name]));
      this.list.replaceChildren(...people.map((person) => this.tile(person)));
      if (!people.length) this.list.replaceChildren(h("li", { class: "muted" }, t("watchlist.none")));
    } catch (problem) {
      this.app.notice(problem);
    }
  }

  tile(person) {
    const photos = (person.photos ?? []).map((photo) => this.photo(person, photo.id ?? photo, warningText(photo)));
    const add = h("input", { type: "file", accept: "image/jpeg,image/png", class: "visually-hidden",
      on: { change: (event) => this.addPhoto(person.id, event.target.files[0]) } });
    const why = uncompared(person, this.reading.has(person.id));
    return h("li", { class: why ? "tile bad" : "tile" },
      h("div", { class: "row" }, h("strong", {}, person.name), h("span", { class: "muted" }, categoryText(person.category))),
      why && h("p", { class: "hint" }, `▲ ${why}`),
      h("div", { class: "photos" }, ...photos),
      facts([[t("watchlist.reason"), person.reason], [t("watchlist.authority"), person.authority],
        [t("watchlist.valid_until"), dated(person.valid_until)]]),
      this.said.has(person.id) && h("p", { class: "problem", role: "alert" }, this.said.get(person.id)),
      h("div", { class: "row" }, h("label", { class: "file" }, t("watchlist.add_photo"), add),
        h("button", { class: "danger", on: { click: () => this.remove(person) } }, t("watchlist.remove"))));
  }

  /** One photo; what was odd about it when it was added stays with it. */
  photo(person, photo, odd) {
    const remove = () => confirm(t("watchlist.confirm_remove_photo", { name: person.name })) &&
      this.destroy(person.id, () => api.removePhoto(person.id, photo));
    return h("span", { class: odd ? "photo odd" : "photo" }, picture(photoUrl(person.id, photo), t("evidence.enrolled")),
      h("button", { class: "plain danger", "aria-label": t("watchlist.remove_photo"), on: { click: remove } }, "✕"),
      odd && h("small", { class: "hint" }, `▲ ${t("watchlist.photo_differs")}`));
  }

  async add(event) {
    event.preventDefault();
    const form = event.target;
    const { photo, valid_until: until, ...person } = Object.fromEntries(new FormData(form));
    const send = form.querySelector("[type=submit]");
    send.disabled = true;
    this.message.textContent = "";
    try {
      await this.enrol({ ...person, valid_until: new Date(`${until}T23:59:59`).toISOString() }, photo);
      form.reset();
    } catch (problem) {
      const text = this.refusal(problem);
      this.message.textContent = this.pending ? t("watchlist.refused", { name: person.name, problem: text }) : text;
    }
    send.disabled = false;
    await this.load();
    if (this.message.textContent) this.message.scrollIntoView({ block: "center" });
  }

  /** List somebody with a photo; after a refused photo the same entry is changed, not made again; another name is another. */
  async enrol(person, photo) {
    if (this.pending?.name === person.name) await api.changePerson(this.pending.id, person);
    else this.pending = { id: (await api.addPerson(person)).id, name: person.name };
    this.tell(this.pending.id, warningText(await this.read(this.pending.id, photo)));
    this.pending = null;
  }

  /** Send a photo; reading it may take seconds, in which nobody is to think that there is none. */
  async read(id, photo) {
    this.reading.add(id);
    this.load();
    try {
      return await api.addPhoto(id, photo);
    } finally {
      this.reading.delete(id);
    }
  }

  async addPhoto(id, file) {
    if (!file) return;
    try {
      this.tell(id, warningText(await this.read(id, file)));
      if (id === this.pending?.id) this.done();
    } catch (problem) {
      this.said.set(id, this.refusal(problem));
    }
    this.load();
  }

  /** Why a photo is refused; whom of the list it is like is called by name. */
  refusal(problem) {
    const other = this.names?.get(problem.body?.look_alikes?.[0]?.person);
    return other ? t("watchlist.look_alike", { other }) : problemText(problem);
  }

  /** What stands in the tile of a person, if anything is to be said. */
  tell(id, text) {
    if (text) this.said.set(id, text);
    else this.said.delete(id);
  }

  async remove(person) {
    if (!confirm(t("watchlist.confirm_remove", { name: person.name }))) return;
    await this.destroy(person.id, () => api.removePerson(person.id).then(() => person.id === this.pending?.id && this.done()));
  }

  /** Destroy something of a person; what was said of them is over. */
  async destroy(id, act) {
    try {
      await act();
      this.said.delete(id);
    } catch (problem) {
      this.said.set(id, problemText(problem));
    }
    this.load();
  }

  /** The form has nobody in hand any more. */
  done() {
    this.pending = null;
    this.message.textContent = "";
  }

  update(state) {
    this.threshold.update(state.threshold);
  }
}

/** Why no camera compares with this person; empty while they do. */
function uncompared(person, reading) {
  if (person.expired) return t("watchlist.expired");
  if (reading && !(person.photos ?? []).length) return t("watchlist.reading");
  return (person.photos ?? []).length ? "" : t("watchlist.no_photo");
}
