// What a widget shows, as the parameters of an address, and back.

import { MOST, NAMES } from "../../resnet_lesson/widgets/builder/arithmetic.js";
import { explorer as allowed } from "../../resnet_lesson/widgets/chart/constants.js";
import { PageEngine } from "../../resnet_lesson/widgets/engine/page.js";
import { MOST as DEEPEST } from "../../resnet_lesson/widgets/engine/race.js";
import { isOf, LOWEST, stamped } from "../../resnet_lesson/widgets/explorer/guess.js";
import { readGrid } from "../../resnet_lesson/widgets/explorer/recorded.js";
import { LARGEST_SEED } from "../../resnet_lesson/widgets/explorer/rules.js";
import {
  differing,
  label,
  pick,
  TRAITS,
  valuesOf,
} from "../../resnet_lesson/widgets/explorer/setting.js";
import { PageSource } from "../../resnet_lesson/widgets/explorer/sources.js";
import { RATES } from "../../resnet_lesson/widgets/race/words.js";

/** @typedef {import("./model.js").Traits} Traits */
/** @typedef {import("./model.js").Getter} Getter */
/** @typedef {import("../../resnet_lesson/widgets/explorer/setting.js").Setting} Setting */
/** @typedef {import("../../resnet_lesson/widgets/explorer/setting.js").Trait} Trait */
/**
 * @typedef {object} State
 * @property {(get: Getter) => Record<string, string | string[]>} write
 * @property {(read: URLSearchParams, traits: Traits) => Traits | Promise<Traits>} read the traits
 *   that differ; an error says what the address has wrong
 */

/** @param {string} name @param {string} value @param {string} rule */
const refuse = (name, value, rule) => {
  throw new Error(`${name} must be ${rule}, and the link has “${value}”`);
};

/** @param {string} name @param {string} text @param {[number, number]} range */
function whole(name, text, [least, most]) {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  return least <= value && value <= most
    ? value
    : refuse(name, text, `a whole number from ${least} to ${most}`);
}

/** @param {string} name @param {string} text @param {unknown[]} values */
const oneOf = (name, text, values) =>
  values.find((value) => `${value}` === text) ?? refuse(name, text, `one of ${values.join(", ")}`);

/** A trait of the explorer. @param {Trait} name @param {string} text */
function traitOf(name, text) {
  if (name === "depth") return whole(name, text, [1, allowed.most]);
  if (name === "seed") return whole(name, text, [0, LARGEST_SEED]);
  return oneOf(name, text, valuesOf(name));
}

/** Of a link, where it has a value, and else as it was. @param {URLSearchParams} read */
const settingOf = (read, /** @type {Traits} */ traits) =>
  pick(TRAITS, (name) => (read.has(name) ? traitOf(name, `${read.get(name)}`) : traits[name]));

const BETWEEN = ".";
const MOST_KEPT = 20; // more cannot be told apart, and take seconds to compute

/** A kept curve. @param {Setting} setting */
const packed = (setting) => TRAITS.map((name) => `${setting[name]}`).join(BETWEEN);

/** @param {string} text */
function unpacked(text) {
  const values = text.split(BETWEEN);
  if (values.length !== TRAITS.length) refuse("keep", text, `the values of ${TRAITS.join(", ")}`);
  return pick(TRAITS, (name) => traitOf(name, values[TRAITS.indexOf(name)]));
}

/** The guess of the network that is shown, if there is one. @param {Getter} get */
function guessOf(get) {
  const guess = get("guess");
  return isOf(guess, pick(TRAITS, get)) ? [`${guess.end}${BETWEEN_DECADES}${guess.bend}`] : [];
}

const BETWEEN_DECADES = ",";

/** @param {URLSearchParams} read @param {Setting} setting */
function guessFrom(read, setting) {
  const text = read.get("guess");
  if (text === null) return {};
  const [end, bend] = text.split(BETWEEN_DECADES).map(Number);
  const fits = [end, bend].every((one) => Math.abs(one) <= -LOWEST);
  return fits
    ? stamped({ end, bend }, setting)
    : refuse("guess", text, `two numbers of decades, each of at most ${-LOWEST}`);
}

/** @type {State} */
const explorer = {
  write: (get) => ({
    ...Object.fromEntries(TRAITS.map((name) => [name, `${get(name)}`])),
    keep: get("pins").flatMap((/** @type {{setting?: Setting}} */ pin) =>
      pin.setting ? [packed(pin.setting)] : [],
    ),
    guess: guessOf(get),
    guessing: get("guessing") ? ["true"] : [],
    question: get("question") ? [`${get("question")}`] : [],
  }),
  async read(read, traits) {
    const wanted = settingOf(read, traits);
    const packs = read.getAll("keep");
    if (packs.length > MOST_KEPT) refuse("keep", `${packs.length}`, `at most ${MOST_KEPT} curves`);
    const kept = packs.map(unpacked);
    const guess = guessFrom(read, wanted);
    const question = whole("question", read.get("question") ?? "0", [0, traits.questions.length]);
    const source = new PageSource(await readGrid(traits.grid), traits.words, new PageEngine());
    try {
      const found = [];
      // One after the other: who asks anew, before an answer has come, gets the new one only.
      for (const setting of [...kept, wanted]) {
        const answer = await source.ask(setting, setting);
        if ("failed" in answer) throw new Error(answer.failed);
        if (differing(answer.setting, setting).length) {
          throw new Error(`${label(setting)} were not computed beforehand`);
        }
        found.push(answer);
      }
      const { setting, curve, described } = found[found.length - 1];
      const pins = found.slice(0, -1).map((answer) => answer.curve);
      const guessing = read.get("guessing") === "true";
      return { ...setting, curve, described, pins, guess, guessing, question };
    } finally {
      source.stop();
    }
  },
};

/** @param {string} name @param {string} text */
const sizes = (name, text) => text.split(",").map((one) => whole(name, one, [0, MOST]));

/** @type {State} */
const builder = {
  write(get) {
    const state = Object.fromEntries(["picked", ...NAMES].map((name) => [name, `${get(name)}`]));
    // Fields may be empty, or hold what is no size.
    this.read(
      new URLSearchParams(state),
      Object.fromEntries(NAMES.map((name) => [name, get(name)])),
    );
    return state;
  },
  read(read, traits) {
    const found = [...read].filter(([name]) => ["picked", ...NAMES].includes(name));
    return Object.fromEntries(
      found.map(([name, text]) => {
        if (Array.isArray(traits[name])) return [name, sizes(name, text)];
        if (typeof traits[name] === "number") return [name, whole(name, text, [0, MOST])];
        return [name, text];
      }),
    );
  },
};

/** @type {Record<string, (text: string) => unknown>} */
const RACE = {
  depth: (text) => whole("depth", text, [2, DEEPEST]),
  rate: (text) => oneOf("rate", text, RATES),
  warmup: (text) => whole("warmup", text, [0, 100]),
  seed: (text) => whole("seed", text, [0, LARGEST_SEED]),
};

/** @type {State} */
const race = {
  write: (get) => Object.fromEntries(Object.keys(RACE).map((name) => [name, `${get(name)}`])),
  read: (read) =>
    Object.fromEntries(
      Object.keys(RACE).flatMap((name) =>
        read.has(name) ? [[name, RACE[name](`${read.get(name)}`)]] : [],
      ),
    ),
};

/** The widgets whose state a link can hold. @type {Record<string, State>} */
export const STATES = { explorer, builder, race };
