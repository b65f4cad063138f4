/** Languages of the console: one JSON catalogue each, chosen by the guard and remembered. */

const LANGUAGES = ["zh-CN", "en"];
let catalogue = {};
let current = "zh-CN";

/** The language in use, as a BCP 47 tag. */
export function language() {
  return current;
}

/** Load a catalogue; without a tag the remembered one, else the browser's. */
export async function loadLanguage(tag) {
  const wanted = tag ?? localStorage.getItem("language") ?? navigator.language;
  current = LANGUAGES.find((each) => each === wanted) ?? (wanted.startsWith("zh") ? "zh-CN" : "en");
  const answer = await fetch(`/locales/${current}.json`);
  catalogue = await answer.json();
  if (tag) localStorage.setItem("language", current);
  document.documentElement.lang = current;
}

/** The other language, for the switch. */
export function otherLanguage() {
  return LANGUAGES.find((each) => each !== current);
}

/**
 * The text of a key with its `{places}` filled; a key that is missing shows itself. `{count|button reaches|buttons
 * reach}` is the first of the words for 1, else the second.
 * @param {string} key
 * @param {Object} [values]
 */
export function t(key, values = {}) {
  const text = (catalogue[key] ?? key).replace(/\{(\w+)\|([^|}]*)\|([^}]*)\}/g, (whole, name, one, several) =>
    Number(values[name]) === 1 ? one : several);
  return text.replace(/\{(\w+)\}/g, (whole, name) => (name in values ? String(values[name]) : whole));
}

/** Text of a key if there is one, else the fallback. */
export function tOr(key, fallback) {
  return catalogue[key] ?? fallback;
}

/** Sentences one behind the other; in Chinese no space follows a full stop. */
export const sentences = (texts) => texts.filter(Boolean).join(" ").replace(/([。；！？]) /g, "$1");

/** 24-hour time of day; `hour12: false` would make 24:30 of half past midnight in English. */
export const clock = (date) => date.toLocaleTimeString(current, { hourCycle: "h23" });

/** 24-hour time, with the date when it is not today. */
export function moment(iso, now = Date.now()) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "–";
  const time = clock(date);
  const today = new Date(now).toDateString() === date.toDateString();
  return today ? time : `${date.toLocaleDateString(current)} ${time}`;
}

/** Date and 24-hour time, also of today: for what is looked at ahead or long after. */
export function dated(iso) {
  const date = new Date(iso);
  if (Number.isNaN(date.getTime())) return "–";
  return date.toLocaleString(current, { dateStyle: "medium", timeStyle: "short", hourCycle: "h23" });
}

/** Seconds as m:ss, or h:mm:ss. */
export function elapsed(seconds) {
  const whole = Math.max(0, Math.floor(seconds));
  const parts = [Math.floor(whole / 60) % 60, whole % 60].map((part) => String(part).padStart(2, "0"));
  const hours = Math.floor(whole / 3600);
  return hours ? `${hours}:${parts.join(":")}` : parts.join(":").replace(/^0(\d)/, "$1");
}
