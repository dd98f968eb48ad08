// What the builder's traits may be.

import { isListOf, isNullOr, isNumber, isText, isTexts } from "../chart/rules.js";
import { EXAMPLE, MOST, NAMES } from "./arithmetic.js";
import { stageOf } from "./words.js";

const STAGES = 20; // as often as an image of `MOST` pixels can be halved
const PARTS = ["image", "stem", "pooled", "classifier"];

const isField = isNullOr((value) => isNumber(value) && Math.abs(value) <= MOST);
/** @type {Record<string, (value: any) => boolean>} */
const LISTS = { stages: isListOf(isField, STAGES), filters: isListOf(isField, STAGES + 1) };
const isStage = (/** @type {string} */ name) => 1 <= stageOf(name) && stageOf(name) <= STAGES;
const isPart = (/** @type {any} */ name) =>
  typeof name === "string" && (PARTS.includes(name) || isStage(name));

/** @type {import("../chart/readable.js").Rules} */
export const RULES = {
  ...Object.fromEntries(
    NAMES.map((name) => [
      name,
      { is: name === "order" ? isText : (LISTS[name] ?? isField), usual: EXAMPLE[name] },
    ]),
  ),
  picked: { is: isPart, usual: "stage2" },
  hide: { is: isTexts, usual: [] },
};
