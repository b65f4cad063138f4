/** The selected incident: where, what, pictures, what to do, what was done. */

import { api } from "../api.js";
import { fill, h, setText, syncList } from "../dom.js";
import { FAULT, faultText } from "../faults.js";
import { elapsed, moment, t, tOr } from "../i18n.js";
import { badges, categoryText, facts, eventText, incidentText, incidentWhere, lateText, severityMark, stateText } from "./common.js";
import { Pictures } from "./pictures.js";
import { Procedure } from "./procedure.js";
import { rate } from "./threshold.js";

const VERDICTS = ["genuine", "false_alarm", "test", "duplicate"];
const FACE = "campus.face.matched";
const RESOLVED = "campus.incident.resolved";
const JUDGED = new Set(["confirmed", "rejected"]);
const FOLLOWS = { confirmed: "genuine", rejected: "false_alarm" };
const STEPS = { raised: ["acknowledge", "dispatch"], acknowledged: ["dispatch"], dispatched: [] };
const PEOPLE = ["guard", "admin"];
const SHELF_MINUTES = [15, 60, 240, 480];

export class IncidentPane {
  constructor(app) {
    this.app = app;
    this.empty = h("p", { class: "calm" }, t("incident.none"));
    this.head = h("div", { class: "head" });
    this.pictures = new Pictures();
    this.actions = h("div", { class: "actions" });
    this.more = h("div", { class: "actions more" });
    this.procedure = new Procedure(app);
    this.facts = h("div");
    this.lost = h("p", { class: "hint" });
    this.timeline = h("ol", { class: "timeline" });
    this.body = h("div", { class: "incident-body" }, this.head, this.pictures.faces, this.actions, this.procedure.element,
      this.pictures.scenes, this.pictures.clips, this.more, this.facts,
      h("h3", {}, t("incident.timeline")), this.lost, this.timeline);
    this.element = h("section", { class: "incident", "aria-label": t("incident.title") }, this.empty, this.body);
  }

  update(state) {
    const incident = state.incidents[state.selected];
    this.empty.hidden = Boolean(incident);
    this.body.hidden = !incident;
    if (!incident) return;
    this.incident = incident;
    this.detail = state.details[incident.id];
    this.drawHead(incident, state.situation);
    this.drawActions(incident, state.me);
    this.procedure.update(incident, this.detail?.procedure, this.mayAct(incident, state.me));
    this.pictures.update(incident, this.detail, state.cameras);
    this.drawDetail();
  }

  mayAct(incident, me) {
    return PEOPLE.includes(me.role) && incident.state !== "resolved";
  }

  drawHead(incident, situation) {
    const signature = JSON.stringify([incident.id, incident.state, incident.owner, incident.count, incident.verification,
      incident.active, incident.hidden, incident.level, incident.shelf, incident.resolved, incident.press, incident.late, this.resolver(), situation.first]);
    if (signature === this.headSignature) return;
    this.headSignature = signature;
    const { place, name } = incidentWhere(incident);
    this.time = h("time", { class: "elapsed" });
    fill(
      this.head,
      h("div", { class: "row" }, severityMark(incident.severity), this.time),
      h("h2", { class: "place" }, place),
      name && h("p", { class: "name" }, name),
      h("p", {}, incidentText(incident), " · ", stateText(incident),
        this.whose(incident),
        incident.verification && ` · ${t(`verify.${incident.verification}`)}`,
        incident.level > 0 && ` · ${t("incident.level", { level: incident.level })}`),
      nextSteps(incident) && h("p", { class: "next", role: "status" }, nextSteps(incident)),
      badges(incident, situation),
      incident.shelf && h("p", { class: "muted" }, t("shelf.until", { time: moment(incident.shelf.until), name: incident.shelf.actor }), ` · ${incident.shelf.reason}`),
    );
  }

  /** Who has it in hand, nobody while it waits for that; of a resolved one who ended it, when and how. */
  whose({ state, owner, resolved, verdict }) {
    if (state === "raised") return "";
    if (state !== "resolved") return owner && ` · ${t("incident.owner", { name: owner })}`;
    const by = resolved && t("incident.resolved_by", { name: this.resolver() || owner, time: moment(resolved) });
    return [by, verdict && t(`verdict.${verdict}`)].filter(Boolean).map((each) => ` · ${each}`).join("");
  }

  resolver() {
    return this.detail?.timeline?.findLast(({ event }) => event.type === RESOLVED)?.event.data.actor;
  }

  drawActions(incident, me) {
    const signature = JSON.stringify([incident.id, incident.state, incident.verification || "", me.role,
      incident.active !== false, Boolean(incident.lasting), Boolean(incident.shelf)]);
    if (signature === this.actionSignature) return;
    this.actionSignature = signature;
    if (!this.mayAct(incident, me)) {
      this.actions.replaceChildren();
      this.more.replaceChildren();
      return;
    }
    fill(
      this.actions,
      incident.state === "raised" && this.button("primary huge", "acknowledge", { expected_state: "raised" }, "A"),
      ...(incident.kind === FACE && !JUDGED.has(incident.verification) ? this.verifyButtons() : []),
      incident.state === "acknowledged" && this.dispatchForm(),
      incident.drill && h("button", { class: "danger", on: { click: () => this.sayReal() } }, t("action.real")),
    );
    fill(
      this.more,
      this.noteForm(),
      this.resolveForm(incident.lasting && incident.active, me),
      incident.severity !== "critical" && (incident.shelf ? this.button("", "unshelve", {}) : this.shelfForm()),
    );
  }

  button(style, verb, body, key) {
    const act = () => this.app.command(this.incident.id, verb, body);
    return h("button", { class: style, on: { click: act } }, t(`action.${verb}`), key && h("kbd", {}, key));
  }

  async sayReal() {
    await api.real(this.incident.id).catch((problem) => this.app.notice(problem));
  }

  shelfForm() {
    const submit = ({ minutes, reason }) => this.app.command(this.incident.id, "shelve", { minutes: Number(minutes), reason });
    const options = SHELF_MINUTES.map((each) => h("option", { value: each }, t("shelf.minutes", { minutes: each })));
    return this.form("shelve", t("action.shelve"), submit,
      h("select", { name: "minutes", "aria-label": t("shelf.length") }, ...options),
      h("input", { name: "reason", "aria-label": t("shelf.reason"), placeholder: t("shelf.reason"), required: true, maxlength: 2000 }));
  }

  verifyButtons() {
    const make = (verdict, key) => {
      const act = () => this.app.command(this.incident.id, "verify", { verdict });
      return h("button", { class: `verify ${verdict}`, on: { click: act } }, t(`verify.ask.${verdict}`), h("kbd", {}, key));
    };
    return [make("confirmed", "Y"), make("rejected", "X"), make("unsure", "U")];
  }

  form(focus, label, submit, ...fields) {
    const send = async (event) => {
      event.preventDefault();
      if (await submit(Object.fromEntries(new FormData(event.target)))) event.target.reset();
    };
    return h("form", { class: "inline", on: { submit: send } }, ...fields.filter(Boolean), h("button", { type: "submit" }, label));
  }

  dispatchForm() {
    const submit = ({ to }) => this.app.command(this.incident.id, "dispatch", { to, expected_state: "acknowledged" });
    return this.form("dispatch", t("action.dispatch"), submit,
      h("input", { name: "to", "aria-label": t("incident.dispatch_to"), placeholder: t("incident.dispatch_to"), required: true, maxlength: 200 }));
  }

  noteForm() {
    const submit = ({ note }) => this.app.command(this.incident.id, "note", { note });
    return this.form("note", t("action.note"), submit,
      h("input", { name: "note", "aria-label": t("incident.note"), placeholder: t("incident.note"), required: true, maxlength: 2000, data: { focus: "note" } }));
  }

  /** While the source says that the condition goes on, it takes force, a right and a reason. */
  resolveForm(goesOn, me) {
    if (goesOn && me.role !== "admin") return h("p", { class: "hint" }, t("incident.goes_on"));
    const submit = ({ verdict, note, reason }) =>
      this.app.command(this.incident.id, "resolve", { verdict, note, expected_state: this.incident.state, ...(goesOn ? { force: true, reason } : {}) });
    const options = VERDICTS.map((each) => h("option", { value: each }, t(`verdict.${each}`)));
    const verdict = h("select", { name: "verdict", "aria-label": t("incident.verdict"), required: true, data: { focus: "resolve" } },
      h("option", { value: "" }, t("incident.verdict")), ...options);
    verdict.value = FOLLOWS[this.incident.verification] ?? "";
    return this.form("resolve", t("action.resolve"), submit, verdict,
      h("input", { name: "note", "aria-label": t("incident.verdict_note"), placeholder: t("incident.verdict_note"), maxlength: 2000 }),
      goesOn && h("input", { name: "reason", "aria-label": t("incident.force_reason"), placeholder: t("incident.force_reason"), required: true, maxlength: 2000 }));
  }

  drawDetail() {
    const detail = this.detail;
    if (!detail) return;
    const match = detail.match;
    const person = match && [
      [t("match.person"), match.name ?? t(PEOPLE.includes(this.app.state.me.role) ? "match.gone" : "match.hidden")],
      [t("match.category"), categoryText(match.category)],
      [t("match.reason"), match.reason],
      [t("match.distance"), `${match.distance?.toFixed(3)} / ${match.threshold?.toFixed(3)}`],
      [t("match.expected"), match.expected && `${rate(match.expected)} (${t(`match.basis.${match.expected.basis}`)})`],
      [t("match.looks"), match.looks],
      [t("match.face_height"), `${match.face_height} px`],
      [t("match.quality"), match.quality?.toFixed(2)],
    ];
    const pairs = [...(person ?? []), [t("incident.opened"), moment(detail.opened)], [t("incident.source"), detail.source]];
    this.facts.replaceChildren(match ? h("p", { class: "hint" }, t("match.hint")) : "", facts(pairs));
    this.lost.hidden = !detail.lost;
    setText(this.lost, detail.lost ? t("incident.lost", { count: detail.lost }) : "");
    syncList(this.timeline, detail.timeline ?? [], (each) => String(each.position), (each) => this.step(each));
  }

  step({ event, first }) {
    const { data } = event;
    const parts = [first && t("incident.first"), data.late && lateText(event), data.clock_wrong && t("press.clock_wrong"), event.type === FAULT ? faultText(data) : data.detail, data.actor, data.post, data.to, data.note, data.step && `${data.done === false ? "✗" : "✓"} ${data.text}`,
      event.type === "campus.incident.raised_again" && data.reason !== "trigger" && tOr(`again.${data.reason}`, data.reason),
      event.type === "campus.incident.escalated" && `${t("incident.level", { level: data.level })} · ${tOr(`because.${data.reason}`, data.reason)}`,
      event.type === "campus.incident.shelved" && data.reason,
      data.verdict && tOr(`verdict.${data.verdict}`, tOr(`verify.${data.verdict}`, data.verdict))];
    return h("li", {}, h("time", { datetime: event.time }, moment(event.time)), " ", eventText(event),
      ...parts.filter(Boolean).map((part) => ` · ${part}`));
  }

  tick(now) {
    if (!this.time || !this.incident) return;
    const { opened, resolved, state } = this.incident;
    const end = state === "resolved" && resolved ? new Date(resolved).getTime() : now;
    const text = elapsed((end - new Date(opened).getTime()) / 1000);
    setText(this.time, state === "resolved" ? t("incident.lasted", { time: text }) : text);
  }
}

/** What remains to be done once a face was judged: the judgement alone ends nothing. */
function nextSteps({ kind, state, verification }) {
  if (kind !== FACE || !verification || !(state in STEPS)) return "";
  if (verification === "unsure") return t("next.unsure");
  const wrong = verification === "rejected";
  const steps = [...STEPS[state].filter((each) => !wrong || each !== "dispatch"), wrong ? "resolve_false" : "resolve"];
  return `${t(`next.${verification}`)}${t("next.do", { steps: steps.map((each) => t(`next.step.${each}`)).join(" → ") })}`;
}
