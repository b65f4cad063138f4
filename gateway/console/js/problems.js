/** Problems of the gateway in the guard's language: by their code, else as the gateway words them with its remedy. */

import { language, sentences, t, tOr } from "./i18n.js";

/**
 * What is wrong and what to do about it.
 * @param {import("./api.js").Problem|Error|string} problem
 */
export function problemText(problem) {
  if (typeof problem === "string") return problem;
  if (problem.status === 0) return t("problem.unreachable");
  const body = problem.body ?? {};
  const key = `problem.${body.code}`;
  if (tOr(key, "")) return t(key, valuesOf(body));
  return sentences([problem.message, body.where && `(${body.where})`, body.remedy]);
}

/** What is odd about something that the gateway took all the same; empty if nothing is. */
export function warningText({ warnings = [] } = {}) {
  return sentences(warnings.map((each) => (tOr(`warning.${each.code}`, "") ? t(`warning.${each.code}`, each) : `${each.detail} ${each.remedy}`)));
}

/** What the text of a code may name; roles and fields in words. */
function valuesOf(body) {
  const values = { ...body, owner: body.owner || t("problem.somebody") };
  const role = (name) => tOr(`role.${name}`, name);
  if (body.role) values.role = role(body.role);
  if (body.needs) values.needs = body.needs.map(role).join(t("role.or"));
  values.where = body.where ? field(body.where) : "";
  if (body.fault && tOr(`fault.${body.fault}`, "")) values.detail = t(`fault.${body.fault}`, body);
  if (body.faults) values.faults = body.faults.map(faultText).join(language() === "zh-CN" ? "；" : "; ");
  return values;
}

const field = (where) => {
  const name = where.split(".").at(-1);
  return tOr(`field.${name}`, name);
};

function faultText(fault) {
  const key = `fault.${fault.code}`;
  return `${field(fault.where)} ${tOr(key, "") ? t(key, fault) : fault.what}`;
}

const DELIVERIES = [
  [/^cannot be reached/, "delivery.unreachable"],
  [/^answered HTTP (?<status>\d+): redirects/, "delivery.redirect"],
  [/^answered HTTP (?<status>\d+)$/, "delivery.http"],
  [/^shows a certificate that is not trusted/, "delivery.certificate"],
  [/^answers without end/, "delivery.endless"],
  [/^did not answer in time/, "delivery.timeout"],
  [/^the driver failed/, "delivery.driver"],
];

/** Why a destination did not take an event. */
export function deliveryText(reason) {
  for (const [pattern, key] of DELIVERIES) {
    const found = pattern.exec(reason ?? "");
    if (found) return t(key, found.groups ?? {});
  }
  return reason;
}
