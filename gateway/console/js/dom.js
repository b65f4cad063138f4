/** The few DOM helpers of the console; text always goes in as text, never as markup. */

/**
 * Make an element.
 * @param {string} tag
 * @param {Object} [properties] `class`, `on` (map of listeners), `data`, ARIA and other attributes
 * @param {...(Node|string|null|undefined|false)} children
 * @returns {HTMLElement}
 */
export function h(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "on") for (const [type, listener] of Object.entries(value)) element.addEventListener(type, listener);
    else if (name === "data") Object.assign(element.dataset, value);
    else if (name === "class") element.className = value;
    else if (name === "value") element.value = value;
    else element.setAttribute(name, value === true ? "" : String(value));
  }
  fill(element, ...children);
  return element;
}

/** Replace what an element holds; null, undefined and false are left out. */
export function fill(element, ...children) {
  element.replaceChildren(...children.flat().filter((child) => child !== null && child !== undefined && child !== false));
}

/**
 * Let the children of `container` show `items`, reusing elements by key so that focus and pictures survive.
 * @param {HTMLElement} container
 * @param {Array} items
 * @param {(item: any) => string} key
 * @param {(item: any) => HTMLElement} create
 * @param {(element: HTMLElement, item: any) => void} [update]
 */
export function syncList(container, items, key, create, update = () => {}) {
  const existing = new Map([...container.children].map((child) => [child.dataset.key, child]));
  let place = container.firstElementChild;
  for (const item of items) {
    const id = key(item);
    let element = existing.get(id);
    if (element) existing.delete(id);
    else {
      element = create(item);
      element.dataset.key = id;
    }
    update(element, item);
    if (element === place) place = place.nextElementSibling;
    else container.insertBefore(element, place);
  }
  for (const left of existing.values()) left.remove();
}

/** Set text only where it changed, so that screen readers and selections are left alone. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Whether somebody writes in a field now. */
export const isTyping = () => Boolean(document.activeElement?.closest("input, textarea, select"));
