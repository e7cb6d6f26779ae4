/** Makes elements. Text is always text: nothing that is shown is ever read as markup. */

const filled = (made, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) made.setAttribute(name, "");
    else if (value !== false && value !== null) made.setAttribute(name, String(value));
  }
  made.append(...children);
  return made;
};

/** An HTML element. */
export const html = (tag, attributes = {}, ...children) =>
  filled(document.createElement(tag), attributes, children);

/** An SVG element. */
export const svg = (tag, attributes = {}, ...children) =>
  filled(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

/** The element with an id of the page's skeleton. */
export const byId = (id) => document.getElementById(id);

/** Sets text only where it changes, so that readers and selections are left alone. */
export const say = (element, text) => {
  if (element.textContent !== text) element.textContent = text;
};

const themed = new Map();

/** A colour or another value of the style sheet; asked of the browser once. */
export const theme = (name) => {
  if (!themed.has(name)) {
    const style = getComputedStyle(document.documentElement);
    themed.set(name, style.getPropertyValue(`--${name}`).trim());
  }
  return themed.get(name);
};

/** Another scheme has other colours. */
export const forgetTheme = () => themed.clear();

/** A sentence for screen readers, said when they are free. */
export const announce = (text) => say(byId("announcer"), text);
