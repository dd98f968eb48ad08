// The builder's table: a row a part, with the fields that change it.

import { KEYS, make } from "../chart/elements.js";
import { grouped } from "../chart/words.js";
import { total } from "./arithmetic.js";

/** @typedef {import("./arithmetic.js").Field} Value */
/** @typedef {import("./arithmetic.js").Part} Part */
/** @typedef {{element: HTMLInputElement, refresh: () => void}} Field */
/**
 * @typedef {{read: () => Value | undefined, write: (value: Value) => void}} Held a number
 */

/** A field for a number. @param {string} name @param {Held} held @param {number} step */
export function numberField(name, { read, write }, step = 1) {
  const element = make("input", { type: "number", min: step, step, "aria-label": name, ...KEYS });
  const shown = () => (element.value === "" ? null : Number(element.value));
  const refresh = () => {
    // What is being typed stays: "1." is no other number than 1.
    if (shown() !== read()) element.value = `${read() ?? ""}`;
  };
  element.addEventListener("input", () => write(shown()));
  refresh();
  return { element, refresh };
}

const COLUMNS = ["Part", "Modules", "Filters", "Feature maps", "Parameters", "Multiply-adds"];

/** @param {(Node | string)[]} children */
const cell = (...children) => make("td", {}, children);

export class Table {
  /** @type {Field[]} */
  fields = [];
  /** @type {Record<string, HTMLElement[]>} cells with words, by part */
  cells = {};
  body = make("tbody");
  #made = "";

  constructor() {
    const heads = COLUMNS.map((name) => make("th", { scope: "col" }, [name]));
    const region = { tabindex: 0, role: "region", "aria-label": "Parts of the network" };
    this.root = make("div", { class: "scrolls", ...region }, [
      make("table", {}, [make("thead", {}, [make("tr", {}, heads)]), this.body]),
    ]);
  }

  /**
   * Rows for so many stages and filters, made anew only where a number has changed: the focus
   * stays.
   *
   * @param {number} stages
   * @param {number} filters
   * @param {(name: string, trait: "stages" | "filters" | "classes", at?: number, step?: number) =>
   *   Field} field
   */
  refresh(stages, filters, field) {
    if (this.#made === `${stages} ${filters}`) {
      for (const { refresh } of this.fields) refresh();
      return;
    }
    this.#made = `${stages} ${filters}`;
    this.fields = [];
    this.cells = {};
    const add = (/** @type {Parameters<typeof field>} */ ...of) => {
      this.fields.push(field(...of));
      return this.fields[this.fields.length - 1].element;
    };
    const stem = filters > 0 ? add("Filters of the stem", "filters", 0) : "";
    const rows = [this.#row("stem", "", filters > 0 ? stem : ""), this.#row("pooled")];
    for (let stage = 1; stage <= stages; stage++) {
      const modules = add(`Modules of stage ${stage}`, "stages", stage - 1);
      const width = stage < filters ? add(`Filters of stage ${stage}`, "filters", stage, 4) : "";
      rows.push(this.#row(`stage${stage}`, modules, width));
    }
    rows.push(this.#row("classifier", "", add("Classes", "classes")), this.#row("in all"));
    this.body.replaceChildren(...rows);
  }

  /** @param {string} name @param {Node | string} modules @param {Node | string} filters */
  #row(name, modules = "", filters = "") {
    this.cells[name] = [cell(), cell(), cell()];
    const head = make("th", { scope: "row" }, [name]);
    return make("tr", {}, [head, cell(modules), cell(filters), ...this.cells[name]]);
  }

  /** @param {Part[]} parts */
  show(parts) {
    for (const { name, height, width, channels, parameters, multiply_adds } of parts) {
      this.#fill(name, `${height} x ${width} x ${channels}`, parameters, multiply_adds);
    }
    this.#fill("in all", "", total(parts, "parameters"), total(parts, "multiply_adds"));
  }

  /**
   * @param {string} name
   * @param {string} maps
   * @param {number} parameters
   * @param {number} multiplyAdds
   */
  #fill(name, maps, parameters, multiplyAdds) {
    [maps, grouped(parameters), grouped(multiplyAdds)].forEach((words, at) => {
      this.cells[name][at].textContent = words;
    });
  }

  clear() {
    for (const one of Object.values(this.cells).flat()) one.textContent = "";
  }
}
