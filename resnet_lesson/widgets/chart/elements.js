// Elements of the page, and what all controls have.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = ["svg", "g", "path", "line", "circle", "rect", "text", "title"];

/** @typedef {"svg" | "g" | "path" | "line" | "circle" | "rect" | "text" | "title"} Shape */
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

/**
 * Shift + Enter goes on to the notebook's next cell, also from a control that has the focus.
 *
 * @param {Element} root
 */
export function passRunKey(root) {
  root.addEventListener("keydown", (event) => {
    const { target } = event;
    const isRun = event instanceof KeyboardEvent && event.key === "Enter" && event.shiftKey;
    if (!isRun || !event.isTrusted || !(target instanceof Element)) return;
    event.preventDefault(); // a button would take it for a press
    event.stopPropagation();
    const [name] = Object.keys(KEYS);
    target.removeAttribute(name);
    const { key, code, keyCode, shiftKey } = event;
    const init = { key, code, keyCode, shiftKey, bubbles: true, cancelable: true };
    target.dispatchEvent(new KeyboardEvent("keydown", init));
    set(target, KEYS);
  });
}

/** An id or a name that no other element of the page has. @param {string} name */
export const unique = (name) => `${name}-${Math.random().toString(36).slice(2)}`;

/** @param {string} text @param {() => void} press @param {"" | "primary" | "quiet"} look */
export function button(text, press, look = "") {
  const element = make("button", { type: "button", class: look, ...KEYS }, [text]);
  element.addEventListener("click", () => {
    if (element.getAttribute("aria-disabled") !== "true") press();
  });
  return element;
}

/** Off, but still reached by Tab: a disabled button loses the focus. @param {Element} element */
export const turnOff = (element, off = true) => set(element, { "aria-disabled": off });

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

/**
 * One of a few, side by side; the change is heard on what is returned, as "input".
 *
 * @param {string} name
 * @param {[value: string, text: string][]} options
 */
export function choice(name, options) {
  const group = unique("choice");
  const radios = options.map(([value]) =>
    make("input", { type: "radio", name: group, value, ...KEYS }),
  );
  const labels = options.map(([, text], at) => make("label", {}, [radios[at], text]));
  return {
    element: make("div", { class: "choice", role: "radiogroup", "aria-label": name }, labels),
    read: () => radios.find((radio) => radio.checked)?.value ?? "",
    /** @param {string} value */
    show: (value) => {
      for (const radio of radios) radio.checked = radio.value === value;
    },
    /** @param {boolean} off */
    disable: (off) => {
      for (const radio of radios) radio.disabled = off;
    },
  };
}

/** On or off, with its name. @param {string} name */
export function toggle(name) {
  const input = make("input", { type: "checkbox", role: "switch", ...KEYS });
  return { element: make("label", { class: "toggle" }, [name, input]), input };
}
