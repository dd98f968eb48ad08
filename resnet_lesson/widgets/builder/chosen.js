// The part that was picked: its name, and the fields of its numbers.

import { make } from "../chart/elements.js";
import { calledPart, opening, partName, stageOf } from "./words.js";

/** @typedef {import("./fields.js").Field} Field */
/** @typedef {"stages" | "filters"} List */
/** @typedef {(word: string, name: string, list: List, at: number) => Field} MakeField */

/** @typedef {[word: string, list: List, at: number]} Item a number of a part, and where it lies */

/** @param {string} part @returns {Item[]} */
function itemsOf(part) {
  const stage = stageOf(part);
  if (stage === 0) return part === "stem" ? [["Filters", "filters", 0]] : [];
  return [
    ["Modules", "stages", stage - 1],
    ["Filters", "filters", stage],
  ];
}

export class Chosen {
  /** @type {Record<string, Field>} by the names of Python: filters[2] */
  fields = {};
  element = make("div", { class: "group chosen" });
  #shown = "";

  /**
   * Fields are made anew only for another part: the focus stays.
   *
   * @param {string} part
   * @param {string[]} hidden
   * @param {MakeField} field
   */
  show(part, hidden, field) {
    if (this.#shown === `${part} ${hidden}`) return;
    this.#shown = `${part} ${hidden}`;
    const items = itemsOf(part).filter(([, list]) => !hidden.includes(list));
    this.fields = Object.fromEntries(
      items.map(([word, list, at]) => [
        `${list}[${at}]`,
        field(word, `${word} of ${calledPart(part)}`, list, at),
      ]),
    );
    this.element.replaceChildren(
      make("b", { class: "name" }, [opening(partName(part))]),
      ...Object.values(this.fields).map(({ element }) => element),
    );
  }
}
