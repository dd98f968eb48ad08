// Elements of the page, and what all controls have.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = ["svg", "g", "path", "line", "circle", "rect", "text"];

/** @typedef {"svg" | "g" | "path" | "line" | "circle" | "rect" | "text"} Shape */
/**
 * @template {string} Tag
 * @typedef {Tag extends Shape ? SVGElementTagNameMap[Tag]
 *   : Tag extends keyof HTMLElementTagNameMap ? HTMLElementTagNameMap[Tag] : never} Made
 */
/** @typedef {Record<string, string | number | boolean>} Attributes */

/**
 * @template {Shape | keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {Attributes} attributes
 * @param {(Node | string)[]} children
 */
export function make(tag, attributes = {}, children = []) {
  const svg = SHAPES.includes(tag);
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  set(element, attributes);
  element.append(...children);
  return /** @type {Made<Tag>} */ (element);
}

/** @param {Element} element @param {Attributes} attributes */
export function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, `${value}`);
}

/** Without this, JupyterLab's shortcuts take the keys from a control that has the focus. */
export const KEYS = { "data-lm-suppress-shortcuts": "true" };

/** @param {string} text @param {() => void} press */
export function button(text, press) {
  const element = make("button", { type: "button", ...KEYS }, [text]);
  element.addEventListener("click", press);
  return element;
}

/** @param {string} words @param {(Node | string)[]} controls */
export function labelled(words, ...controls) {
  return make("label", {}, [make("span", {}, [words]), ...controls]);
}

/**
 * A text that is the same is not written again: a screen reader would read it out.
 *
 * @param {Element} element
 * @param {string} text
 */
export function say(element, text) {
  if (element.textContent !== text) element.textContent = text;
}
