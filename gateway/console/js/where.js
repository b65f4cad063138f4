/** Where something is, in words: a button's name and its place, which two buttons may share. */

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
