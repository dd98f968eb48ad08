// What the race's traits may be.

import { isOneOf, isWhole } from "../chart/rules.js";
import { STEPS } from "../engine/loop.js";
import { MOST } from "../engine/race.js";
import { RATES } from "./words.js";

/** @type {import("../chart/readable.js").Rules} */
export const RULES = {
  depth: { is: isWhole(2, MOST) },
  rate: { is: isOneOf(RATES) },
  warmup: { is: isWhole(0, STEPS) },
  seed: { is: isWhole(0) },
};
