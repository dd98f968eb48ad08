// The explorer's controls: one for each trait that a reader sets.

import { KEYS, labelled, make, set } from "../chart/elements.js";
import { plain } from "../chart/words.js";
import { NAMES } from "./setting.js";

/** @typedef {import("./setting.js").Controlled} Controlled */
/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {HTMLInputElement | HTMLSelectElement} Control */

const CONTROLLED = /** @type {Controlled[]} */ (Object.keys(NAMES));

/** @param {Controlled} name @param {string[] | undefined} options @returns {Control} */
function control(name, options) {
  const element = options
    ? make(
        "select",
        {},
        options.map((one) => make("option", { value: one }, [plain(one)])),
      )
    : make("input", { type: name === "depth" ? "range" : "checkbox" });
  set(element, { "aria-label": NAMES[name], ...KEYS });
  return element;
}

/** @param {Control} element @returns {element is HTMLInputElement} */
const isCheckbox = (element) => element.type === "checkbox";

export class Controls {
  /** @param {{choices: Record<string, string[]>, most: number}} grid */
  constructor({ choices, most }) {
    const made = CONTROLLED.map((name) => [name, control(name, choices[name])]);
    this.elements = /** @type {Record<Controlled, Control>} */ (Object.fromEntries(made));
    set(this.elements.depth, { min: 1, max: most });
    this.depth = make("output");
  }

  /** With its name. @param {Controlled} name */
  labelled(name) {
    return labelled(NAMES[name], this.elements[name], ...(name === "depth" ? [this.depth] : []));
  }

  /** @param {Setting} setting */
  show(setting) {
    for (const name of CONTROLLED) {
      const element = this.elements[name];
      if (isCheckbox(element)) element.checked = Boolean(setting[name]);
      else element.value = `${setting[name]}`;
    }
    this.depth.value = `${setting.depth}`;
  }

  /** What they say. @returns {Pick<Setting, Controlled>} */
  read() {
    this.depth.value = this.elements.depth.value;
    const values = CONTROLLED.map((name) => [name, this.#valueOf(name)]);
    return Object.fromEntries(values);
  }

  /** @param {Controlled} name */
  #valueOf(name) {
    const element = this.elements[name];
    if (isCheckbox(element)) return element.checked;
    return name === "depth" ? Number(element.value) : element.value;
  }
}
