// Where the parameters and the multiply-adds are: for each part a bar of each.

import { makeBars } from "../chart/bars.js";
import { make } from "../chart/elements.js";
import { total } from "./arithmetic.js";
import { counted, partName } from "./words.js";

/** @typedef {import("./arithmetic.js").Part} Part */

/** @type {["parameters" | "multiply_adds", string][]} */
const COUNTS = [
  ["parameters", "parameters"],
  ["multiply_adds", "multiply-adds an image"],
];

export class Shares {
  element = make("table", { class: "shares" });

  /** @param {Part[]} parts @param {string} picked */
  show(parts, picked) {
    const heads = COUNTS.map(([name, words]) => headOf(total(parts, name), words));
    const rows = parts
      .filter(({ parameters }) => parameters > 0)
      .map((part) => rowOf(part, parts, part.name === picked ? "picked" : ""));
    this.element.replaceChildren(
      make("thead", {}, [make("tr", {}, [make("td"), ...heads])]),
      make("tbody", {}, rows),
    );
  }
}

/** @param {number} value @param {string} words */
const headOf = (value, words) =>
  make("th", { scope: "col" }, [make("b", {}, [counted(value)]), ` ${words}`]);

/** @param {Part} part @param {Part[]} parts @param {string} kind */
function rowOf(part, parts, kind) {
  const cells = COUNTS.map(([name]) => {
    const bars = makeBars(["share"]);
    const words = make("span", {}, [counted(part[name])]);
    bars.show([part[name]], total(parts, name));
    return make("td", {}, [make("div", {}, [bars.element, words])]);
  });
  const head = make("th", { scope: "row" }, [partName(part.name)]);
  return make("tr", { class: kind }, [head, ...cells]);
}
