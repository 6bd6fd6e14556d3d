// Elements, made without markup: text is text, whatever it holds.

/** The element with an id. */
export const byId = (id) => document.getElementById(id);

/** Makes an element. Properties that start with `data-` or `aria-`, and `role`, become attributes. */
export function make(tag, properties = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(properties)) {
    if (/^(data-|aria-|role$|for$)/.test(name)) element.setAttribute(name, value);
    else element[name] = value;
  }
  element.append(...children);
  return element;
}

/** Sets a text only if it is another one, so that nothing is announced or selected anew. */
export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** Shows or hides an element. */
export function show(element, visible) {
  if (element.hidden === visible) element.hidden = !visible;
}

/** Says something to screen readers, politely. */
export function announce(text) {
  const announcer = byId('announcer');
  // The same words twice would not be announced the second time.
  announcer.textContent = announcer.textContent === text ? `${text}\u00a0` : text;
}
