// The explorer's controls: one for each trait that a reader sets.

import { choice, KEYS, make, toggle } from "../chart/elements.js";
import { NAMES, noEffect, valueWords } from "./setting.js";

/** @typedef {import("./setting.js").Controlled} Controlled */
/** @typedef {import("./setting.js").Setting} Setting */
/**
 * @typedef {object} Control
 * @property {HTMLElement} element with its name
 * @property {() => unknown} read
 * @property {(value: any) => void} show
 * @property {(off: boolean) => void} disable
 */

const CONTROLLED = /** @type {Controlled[]} */ (Object.keys(NAMES));
const SIDE_BY_SIDE = ["activation", "quantity"];

/** @param {number} most @returns {Control} */
function slider(most) {
  const words = { "aria-label": NAMES.depth, ...KEYS };
  const range = make("input", { type: "range", min: 1, max: most, ...words });
  const number = make("output");
  const head = make("span", { class: "row" }, [NAMES.depth, number]);
  const follow = () => {
    number.value = range.value;
  };
  range.addEventListener("input", follow);
  return {
    element: make("label", { class: "depth" }, [head, range]),
    read: () => Number(range.value),
    show(value) {
      range.value = `${value}`;
      follow();
    },
    disable: (off) => {
      range.disabled = off;
    },
  };
}

/** @param {Controlled} name @returns {Control} */
function onOff(name) {
  const { element, input } = toggle(NAMES[name]);
  return {
    element,
    read: () => input.checked,
    show: (value) => {
      input.checked = value;
    },
    disable: (off) => {
      input.disabled = off;
    },
  };
}

/** @param {Controlled} name @param {string[]} values @returns {Control} */
function list(name, values) {
  const options = values.map((value) => make("option", { value }, [valueWords(name, value)]));
  const select = make("select", { "aria-label": NAMES[name], ...KEYS }, options);
  return {
    element: make("label", { class: "row listed" }, [NAMES[name], select]),
    read: () => select.value,
    show: (value) => {
      select.value = value;
    },
    disable: (off) => {
      select.disabled = off;
    },
  };
}

/** @param {Controlled} name @param {{choices: Record<string, string[]>, most: number}} grid */
function control(name, { choices, most }) {
  if (name === "depth") return slider(most);
  const values = choices[name];
  if (!values) return onOff(name);
  if (!SIDE_BY_SIDE.includes(name)) return list(name, values);
  return choice(
    NAMES[name],
    values.map((value) => [value, valueWords(name, value)]),
  );
}

export class Controls {
  /** @type {string | undefined} */
  #marked;

  /** @param {{choices: Record<string, string[]>, most: number}} grid */
  constructor(grid) {
    const made = CONTROLLED.map((name) => [name, control(name, grid)]);
    this.all = /** @type {Record<Controlled, Control>} */ (Object.fromEntries(made));
    this.why = make("p", { class: "note" });
  }

  /** @param {Setting} setting @param {string | undefined} marked the control of the question */
  show(setting, marked) {
    const off = noEffect(setting);
    for (const name of CONTROLLED) {
      const { element, show, disable } = this.all[name];
      show(setting[name]);
      disable(name in off);
      element.classList.toggle("marked", name === marked);
    }
    if (marked && marked !== this.#marked) {
      const fold = this.all[/** @type {Controlled} */ (marked)].element.closest("details");
      if (fold) fold.open = true; // once: the reader may close it
    }
    this.#marked = marked;
    this.why.textContent = Object.values(off).join(" ");
  }

  /** @param {string[]} names */
  hide(names) {
    for (const name of CONTROLLED) this.all[name].element.hidden = names.includes(name);
  }

  /** What they say. @returns {Pick<Setting, Controlled>} */
  read() {
    const values = CONTROLLED.map((name) => [name, this.all[name].read()]);
    return Object.fromEntries(values);
  }
}
