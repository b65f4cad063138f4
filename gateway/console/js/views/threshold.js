/** The one honest line about the threshold: what to expect of this list and these cameras, and where that is from. */

import { h } from "../dom.js";
import { sentences, t } from "../i18n.js";

const BEYOND_DECADES = 2;

/** A daily rate in words; what is rarer than monthly gets no figure. */
export const rate = (row) => (row.fewer_than_one_a_month ? t("threshold.rare") : t("threshold.rate", { count: row.false_warnings_per_day }));

/**
 * The line as text; empty before the gateway knows.
 * @param {Object|null} told answer of GET /watchlist/threshold
 */
export function thresholdText(told) {
  if (!told?.in_use) return "";
  if (!told.people) return t("threshold.nobody");
  const row = told.in_use;
  const assumed = told.passages_counted === false ? t("threshold.assumed") : "";
  const expected = t("threshold.expect", { assumed, people: told.people, passages: told.passages_per_day, rate: rate(row),
    most: row.at_most, missed: Number((100 * row.missed).toPrecision(1)) });
  const based = told.estimate ? t("threshold.factory") : t("threshold.site", { faces: told.faces_seen });
  const missing = told.estimate && told.faces_missing ? t("threshold.missing", { faces: told.faces_missing }) : "";
  const hand = told.basis === "configured" ? t("threshold.configured", { threshold: row.threshold.toFixed(2) }) : "";
  const beyond = row.extrapolated_decades > BEYOND_DECADES ? t("threshold.beyond") : "";
  return sentences([expected, based, missing, hand, beyond]);
}

/** A place for the line that keeps itself up to date; an estimate is marked as one. */
export class ThresholdLine {
  constructor() {
    this.element = h("p", { class: "threshold", hidden: true });
  }

  update(told) {
    const text = thresholdText(told);
    this.element.hidden = !text;
    if (this.element.textContent !== text) this.element.textContent = text;
    this.element.classList.toggle("estimate", Boolean(told?.estimate));
  }
}

/** The thresholds of one camera, for full and for small faces. */
export function cameraThreshold(told, camera) {
  if (!told?.in_use || !told.people) return "";
  const own = told.cameras.find((each) => each.camera === camera) ?? told.in_use;
  return t("camera.threshold.value", { full: own.threshold.toFixed(3), small: own.small_face_threshold.toFixed(3) });
}
