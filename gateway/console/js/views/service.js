/** A button out of service: one administrator asks, another one confirms; what all see of it. */

import { api } from "../api.js";
import { h } from "../dom.js";
import { dated, t } from "../i18n.js";

const HOURS = [1, 8, 24, 168];

/** Who took it out of service, until when and why; who asked for it while nobody has confirmed. */
export function serviceLine(service) {
  if (!service) return "";
  const { asked_by: asker, confirmed_by: other, until, reason, seconds } = service;
  const words = service.confirmed
    ? t("service.out", { until: dated(until), asker, other })
    : t("service.asked", { hours: Math.max(1, Math.round(seconds / 3600)), asker });
  return h("p", { class: "service", role: "status" }, `${words} · ${reason}`);
}

/** What an administrator may do about it; who asked cannot confirm. */
export function serviceButtons(app, device) {
  const act = (call) => async () => {
    await call().catch((problem) => app.notice(problem));
    await app.refresh();
  };
  const { service, id } = device;
  if (!service) return askForm(id, act);
  const confirm = !service.confirmed && service.asked_by !== app.state.me.username;
  const end = service.confirmed ? "service.end" : "service.withdraw";
  return h("div", { class: "actions" },
    confirm && h("button", { on: { click: act(() => api.confirmOutOfService(id, service.asked)) } }, t("service.confirm")),
    h("button", { class: "plain", on: { click: act(() => api.endOutOfService(id)) } }, t(end)));
}

function askForm(id, act) {
  const send = (event) => {
    event.preventDefault();
    const { hours, reason } = Object.fromEntries(new FormData(event.target));
    return act(() => api.askOutOfService(id, { minutes: Number(hours) * 60, reason }))();
  };
  const options = HOURS.map((each) => h("option", { value: each }, t("service.hours", { hours: each })));
  return h("details", { class: "service" }, h("summary", {}, t("service.ask")),
    h("form", { class: "inline", on: { submit: send } },
      h("select", { name: "hours", "aria-label": t("service.length") }, ...options),
      h("input", { name: "reason", "aria-label": t("service.reason"), placeholder: t("service.reason"), required: true, maxlength: 2000 }),
      h("button", { type: "submit" }, t("service.ask"))),
    h("p", { class: "hint" }, t("service.hint")));
}
