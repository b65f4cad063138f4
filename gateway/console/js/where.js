/** Where something is, in words: a button's name and its place, which two buttons may share. */

import { t } from "./i18n.js";

/** What the gateway tells of itself is of no place; where one must stand, it is not the English word of the sources. */
const OWN = { gateway: "place.gateway", drill: "place.drill", flood: "place.gateway", calibration: "place.gateway" };
export const isOwn = (subject) => subject in OWN;
export const here = (name) => (isOwn(name) ? t(OWN[name]) : name);

/**
 * Name and place as one text, each once.
 * @param {string|undefined} place
 * @param {string|undefined} name
 */
export function whereText(place, name) {
  if (!place || !name) return place || name || "";
  if (place.includes(name)) return place;
  return name.includes(place) ? name : `${name} · ${place}`;
}

/** A device or camera as people know it. */
export const nameOf = (each) => whereText(each.place, each.name) || each.id || each.device;

/** What one of `items` is called by people; its id while nothing better is known. */
export const calledIn = (items, id) => items.find((each) => each.id === id)?.name || id;
