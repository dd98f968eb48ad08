// What is folded away: the numbers of the image and of the classes, and the order.

import { KEYS, labelled, make, say } from "../chart/elements.js";
import { plain } from "../chart/words.js";
import { ORDER_NAMES } from "./arithmetic.js";
import { opening } from "./words.js";

/** @typedef {import("./fields.js").Field} Field */
/** @typedef {"width" | "height" | "depth" | "classes"} Single */

/** @type {[trait: Single, word: string][]} */
const SINGLES = [
  ["width", "Width"],
  ["height", "Height"],
  ["depth", "Channels"],
  ["classes", "Classes"],
];

/** @type {Record<string, string>} what the summary calls them, where that is not the trait */
const FOLDED = { width: "input", height: "input", depth: "input" };

export class Fold {
  /** @type {Record<string, Field>} by trait */
  fields;
  words = make("div", { class: "why" });
  summary = make("summary");

  /**
   * @param {(trait: Single, word: string) => Field} field
   * @param {(order: string) => void} choose
   */
  constructor(field, choose) {
    this.fields = Object.fromEntries(SINGLES.map((one) => [one[0], field(...one)]));
    const options = ORDER_NAMES.map((name) => make("option", { value: name }, [plain(name)]));
    this.order = make("select", KEYS, options);
    this.order.addEventListener("input", () => choose(this.order.value));
    const numbers = Object.entries(this.fields).map(([trait, { element }]) => [trait, element]);
    /** @type {Record<string, HTMLElement>} */
    this.controls = { ...Object.fromEntries(numbers), order: labelled("Order", this.order) };
    this.element = make("details", { class: "fold" }, [
      this.summary,
      make("div", { class: "controls" }, Object.values(this.controls)),
      this.words,
    ]);
  }

  /** @param {string} order @param {string[]} hidden */
  show(order, hidden) {
    this.order.value = order;
    const controls = Object.entries(this.controls);
    for (const [trait, element] of controls) element.hidden = hidden.includes(trait);
    const seen = controls.filter(([, element]) => !element.hidden).map(([trait]) => trait);
    const words = new Set(seen.map((trait) => FOLDED[trait] ?? trait));
    say(this.summary, `${opening([...words].join(", ") || " ")} …`);
    this.element.hidden = seen.length === 0;
  }
}
