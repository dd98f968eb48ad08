// What is folded away: the numbers of the image and of the classes, and the order.

import { KEYS, labelled, make } from "../chart/elements.js";
import { plain } from "../chart/words.js";
import { ORDER_NAMES } from "./arithmetic.js";

/** @typedef {import("./fields.js").Field} Field */
/** @typedef {"width" | "height" | "depth" | "classes"} Single */

/** @type {[trait: Single, word: string][]} */
const SINGLES = [
  ["width", "Width"],
  ["height", "Height"],
  ["depth", "Channels"],
  ["classes", "Classes"],
];

export class Fold {
  /** @type {Record<string, Field>} by trait */
  fields;
  words = make("div", { class: "why" });

  /**
   * @param {(trait: Single, word: string) => Field} field
   * @param {(order: string) => void} choose
   */
  constructor(field, choose) {
    this.fields = Object.fromEntries(SINGLES.map((one) => [one[0], field(...one)]));
    const options = ORDER_NAMES.map((name) => make("option", { value: name }, [plain(name)]));
    this.order = make("select", KEYS, options);
    this.order.addEventListener("input", () => choose(this.order.value));
    /** @type {Record<string, HTMLElement>} */
    this.controls = { order: labelled("Order", this.order) };
    for (const [trait, { element }] of Object.entries(this.fields)) this.controls[trait] = element;
    const { order, ...numbers } = this.controls;
    this.element = make("details", { class: "fold" }, [
      make("summary", {}, ["Input, order, classes …"]),
      make("div", { class: "controls" }, [...Object.values(numbers), order]),
      this.words,
    ]);
  }

  /** @param {string} order @param {string[]} hidden */
  show(order, hidden) {
    this.order.value = order;
    const controls = Object.entries(this.controls);
    for (const [trait, element] of controls) element.hidden = hidden.includes(trait);
    this.element.hidden = controls.every(([, element]) => element.hidden);
  }
}
