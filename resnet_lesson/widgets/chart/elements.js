// ---------------------------------------------------------------- elements

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = ["svg", "g", "path", "line", "circle", "rect", "text"];

function make(tag, attributes = {}, children = []) {
  const svg = SHAPES.includes(tag);
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  set(element, attributes);
  element.append(...children);
  return element;
}

function set(element, attributes) {
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
}

/** Without this, JupyterLab's shortcuts take the keys from a control that has the focus. */
const KEYS = { "data-lm-suppress-shortcuts": "true" };

function button(text, press) {
  const element = make("button", { type: "button", ...KEYS }, [text]);
  element.addEventListener("click", press);
  return element;
}

const plain = (name) => name.replaceAll("_", " ");
const grouped = (value) => value.toLocaleString("en");
