/** Sign-in, and the set-up of the first administrator by one-time link. */

import { api } from "../api.js";
import { h } from "../dom.js";
import { loadLanguage, otherLanguage, t } from "../i18n.js";
import { problemText } from "../problems.js";

const MINIMUM_PASSWORD = 12;
/** Codes of a set-up link that is of no use any more. */
export const USED = new Set(["set_up_already", "setup_link_used"]);

export class SignIn {
  /** @param {{setup?: string, reason?: string, problem?: Object}} options what is said: a text, or a problem of a link */
  constructor(app, { setup = null, reason = "", problem = null }) {
    this.app = app;
    this.setup = setup;
    this.problem = problem;
    this.element = h("main", { class: "signin" });
    this.render(problem ? problemText(problem) : reason);
  }

  render(reason) {
    const field = (name, type, complete) =>
      h("label", {}, t(`signin.${name}`), h("input", { name, type, autocomplete: complete, required: true }));
    this.message = h("p", { class: "problem", role: "alert" }, reason);
    const form = h(
      "form",
      { on: { submit: (event) => this.submit(event) } },
      h("h1", {}, "Campus Gateway"),
      h("p", { class: "muted" }, this.setup ? t("setup.explain", { minimum: MINIMUM_PASSWORD }) : t("signin.explain")),
      field("username", "text", "username"),
      field("password", "password", this.setup ? "new-password" : "current-password"),
      this.setup && this.showToggle(),
      this.message,
      h("button", { class: "primary", type: "submit" }, this.setup ? t("setup.submit") : t("signin.submit")),
      h("button", { type: "button", class: "plain", on: { click: () => this.switchLanguage() } }, t("language.other")),
    );
    this.element.replaceChildren(form);
    form.querySelector("input").focus();
  }

  async switchLanguage() {
    await loadLanguage(otherLanguage());
    this.render(this.problem ? problemText(this.problem) : "");
  }

  /** A typing error in the first password would lock everybody out: it can be seen. */
  showToggle() {
    const box = h("input", { type: "checkbox", name: "shown", on: { change: () => this.passwordField().type = box.checked ? "text" : "password" } });
    return h("label", { class: "check" }, box, t("setup.show"));
  }

  passwordField() {
    return this.element.querySelector("[name=password]");
  }

  /** The link is of no use any more: from here on it is an ordinary sign-in. */
  beginSignIn(username) {
    this.setup = null;
    this.render("");
    this.element.querySelector("[name=username]").value = username;
  }

  async submit(event) {
    event.preventDefault();
    const { username, password } = Object.fromEntries(new FormData(event.target));
    this.app.sound.arm();
    this.message.textContent = "";
    this.problem = null;
    try {
      if (this.setup) await api.setUp(this.setup, username, password);
      await api.signIn(username, password);
      await this.app.enter();
    } catch (problem) {
      if (USED.has(problem.body?.code)) this.beginSignIn(username);
      this.message.textContent = problemText(problem);
    }
  }
}
