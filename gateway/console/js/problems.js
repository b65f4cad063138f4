/** Problems of the gateway in the guard's language: by their code, else as the gateway words them with its remedy. */

import { t, tOr } from "./i18n.js";

/**
 * What is wrong and what to do about it.
 * @param {import("./api.js").Problem|Error|string} problem
 */
export function problemText(problem) {
  if (typeof problem === "string") return problem;
  if (problem.status === 0) return t("problem.unreachable");
  const body = problem.body ?? {};
  const words = body.code && tOr(`problem.${body.code}`, null) && t(`problem.${body.code}`, body);
  return words || [problem.message, body.where && `(${body.where})`, body.remedy].filter(Boolean).join(" ");
}
