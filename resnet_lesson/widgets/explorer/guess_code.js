// A guess as ten symbols, to be read out or pasted. The format is described in guess_code.py.

import { rounded } from "../chart/words.js";
import { LOWEST } from "./guess.js";
import { GUESSED, pick, valuesOf } from "./setting.js";

/** @typedef {import("./guess.js").Guess} Guess */

const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const VERSION = "G";
const DECADES = Array.from({ length: 1 - 20 * LOWEST }, (_, at) => (at + 10 * LOWEST) / 10);
/** The values that each place of the integer may have. @type {unknown[][]} */
const FIELDS = [...GUESSED.map(valuesOf), DECADES, DECADES];
const MOST_NAMED = 10; // lines that are no codes; one more is named, too
const CANDIDATE =
  /(?<![0-9A-Za-z])(?=([Gg](?:[ \u00a0\u2010-\u2015\u2212-]*[0-9A-Za-z]){9})(?![0-9A-Za-z]))/g;
/** @type {Record<string, string>} */
const READ_AS = { I: "1", L: "1", O: "0" };

/** An error says that it is beyond what the handles reach. @param {Guess} guess */
export function encode({ setting, end, bend }) {
  const values = [...GUESSED.map((name) => setting[name]), rounded(end), rounded(bend)];
  const digits = FIELDS.map((field, at) => field.indexOf(values[at]));
  if (digits.includes(-1)) {
    throw new Error(`a guess with a code must have end and bend of at most ${-LOWEST} decades`);
  }
  // 40 bits, which a number holds; the operators of bits would cut it to 32.
  const number = FIELDS.reduce((sum, field, at) => sum * field.length + digits[at], 0);
  const places = Array.from({ length: 8 }, (_, at) => Math.floor(number / 32 ** (7 - at)) % 32);
  places.unshift(SYMBOLS.indexOf(VERSION));
  places.push(twice(valueAtX(places)));
  return grouped(places.map((place) => SYMBOLS[place]).join(""));
}

/** The guess of a code that was found in a line. @param {string} code @returns {Guess} */
export function decode(code) {
  const upper = code.toUpperCase().replace(/[^0-9A-Z]/g, "");
  const text = upper.replace(/[ILO]/g, (letter) => READ_AS[letter]);
  const places = [...text].map((symbol) => SYMBOLS.indexOf(symbol));
  let number = places.slice(1, -1).reduce((sum, place) => 32 * sum + place, 0);
  const values = FIELDS.toReversed().map((field) => {
    const value = field[number % field.length];
    number = Math.floor(number / field.length);
    return value;
  });
  if (places.includes(-1) || valueAtX(places) || number) {
    throw new Error(`has a wrong symbol, or two that changed places: ${grouped(text)}`);
  }
  const [bend, end] = /** @type {number[]} */ (values.splice(0, 2));
  return { setting: pick(GUESSED, () => values.pop()), end, bend };
}

/**
 * The guesses of a text with one code a line, and what is wrong with the lines that have none.
 *
 * @param {string} text
 */
export function readCodes(text) {
  /** @type {Guess[]} */
  const guesses = [];
  /** @type {string[]} */
  const refused = [];
  for (const [at, line] of text.split("\n").entries()) {
    try {
      if (line.trim()) guesses.push(inLine(line));
    } catch (error) {
      refused.push(`Line ${at + 1} ${/** @type {Error} */ (error).message}.`);
    }
  }
  if (!text.trim()) refused.push("Paste a code first.");
  const more = refused.length - MOST_NAMED;
  // A wrong column has as many of them as lines.
  if (more > 1) refused.splice(MOST_NAMED, more, `And ${more} more lines.`);
  return { guesses, refused };
}

/** The guess of the one code in a line. @param {string} line */
function inLine(line) {
  /** @type {Guess[]} */
  const found = [];
  /** @type {unknown[]} */
  const failed = [];
  for (const [, candidate] of line.matchAll(CANDIDATE)) {
    try {
      found.push(decode(candidate));
    } catch (error) {
      failed.push(error);
    }
  }
  if (found.length > 1) throw new Error("has more than one code");
  const nothing = `has no code, which is ten letters and digits, the first of them ${VERSION}`;
  if (!found.length) throw failed[0] ?? new Error(nothing);
  return found[0];
}

/** @param {string} text */
const grouped = (text) => `${text.slice(0, 5)}-${text.slice(5)}`;

/** @param {number[]} coefficients */
const valueAtX = (coefficients) => coefficients.reduce((sum, one) => twice(sum) ^ one, 0);

/** The element of the field times x. @param {number} element */
const twice = (element) => (element << 1) ^ (element & 16 ? 0b100101 : 0);
