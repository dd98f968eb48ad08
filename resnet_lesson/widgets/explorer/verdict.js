// What is said of guesses.

import { sum } from "../chart/data.js";
import { power, twoDigits } from "../chart/words.js";
import { farEnd, guessedAt, isForward, isOf, LOWEST, measured, share } from "./guess.js";
import { label } from "./setting.js";

/** @typedef {import("./setting.js").Setting} Setting */
/** @typedef {import("../chart/curve.js").Curve} Curve */
/** @typedef {import("./guess.js").Guess} Guess */
/** @typedef {import("./guess.js").Shape} Shape */
/** @typedef {import("./guess.js").Fallen} Fallen */
/**
 * A guess beside what was measured, with the setting: `g` and `m` are the guessed and the measured
 * end, `off` is how far half-way misses, `back` says that it is about a gradient, `zero` that
 * exactly zero was measured at the end.
 *
 * @typedef {Setting & {g: number, m: number, off: number, zero: boolean, back: boolean}} Miss
 */
/** @typedef {{fits: (miss: Miss) => boolean, words: (miss: Miss) => string}} Belief */

/**
 * What a reader who misses by more than a decade may have believed. The first that fits is named.
 *
 * @type {Belief[]}
 */
const BELIEFS = [
  {
    fits: ({ g, m }) => m < -3 && g > m / 3 && g <= 1,
    words: ({ depth }) =>
      "“Every layer takes a little away.” Every layer hands on a share of what it gets, and " +
      `${depth - 1} shares are multiplied.`,
  },
  {
    fits: ({ g, m, zero }) => m < -3 && !zero && g < 1.5 * m - 3,
    words: ({ m }) =>
      `“In a deep network nothing arrives.” Something does: ${power(Math.round(m))} of it.`,
  },
  {
    fits: ({ zero, g }) => zero && g > LOWEST + 10,
    words: () =>
      "“A number can always be a little smaller.” In 32 bits it cannot: below 10⁻⁴⁵ there is " +
      "only zero, and no learning rate brings it back.",
  },
  {
    fits: ({ g, m, back, normalization, shortcut }) =>
      back && m > 1 && g < m - 1 && normalization && !shortcut,
    words: () =>
      "“BN keeps everything in bounds.” It holds the signal at one scale on the way forward; on " +
      "the way back the gradient of this plain stack grows.",
  },
  {
    fits: ({ g, m, back, shortcut }) => back && m > 1 && Math.abs(g) < 1 && shortcut,
    words: () =>
      "“The +1 makes the gradient constant.” The 1 brings it back whole, and every branch adds " +
      "its own on top.",
  },
  {
    fits: ({ g, m }) => m > 1 && g < -1,
    words: () => "“Deeper means smaller.” Here every layer hands on more than it was given.",
  },
  {
    fits: ({ g, m }) => Math.abs(m) <= 1 && Math.abs(g) > 2,
    words: () =>
      "“Depth alone decides.” The factor of a single layer decides, and with this start it is " +
      "near one.",
  },
  {
    fits: ({ g, m, off }) => Math.abs(g - m) <= Math.max(1, Math.abs(m) / 5) && Math.abs(off) > 1.5,
    words: () =>
      "“It fades in one part of the network.” Look at the shape: a straight line means that " +
      "every layer takes the same share.",
  },
];

/**
 * How far a guess is off at the far end, in words.
 *
 * @param {Shape} guess
 * @param {Curve} curve
 * @param {Setting} setting
 */
export function missWords(guess, curve, setting) {
  const last = measured(curve, setting).points.at(-1)?.fallen ?? null;
  if (last === null) return "what was measured overflows";
  const { zero, g, m } = about(guess, curve, setting, last);
  const off = Math.abs(g - m);
  if (off < 0.05) return "no miss";
  const factor = off < 3 ? `${twoDigits(10 ** off)}` : power(Math.round(off));
  return `${zero ? "at least " : ""}a factor of ${factor} off`;
}

/**
 * What the author of a guess may have believed; "" where it is within a factor of ten.
 *
 * @param {Shape} guess
 * @param {Curve} curve
 * @param {Setting} setting
 */
export function verdict(guess, curve, setting) {
  const { points } = measured(curve, setting);
  const last = points[points.length - 1].fallen;
  if (last === null) return "";
  const found = about(guess, curve, setting, last);
  if (Math.abs(found.g - found.m) <= 1 && meanMiss(guess, points) <= 1) {
    return "Your guess is within a factor of ten.";
  }
  const believed = BELIEFS.find(({ fits }) => fits(found));
  return believed ? `A common belief: ${believed.words(found)}` : "";
}

/** @param {Fallen[]} points @returns {{t: number, fallen: number}[]} */
const known = (points) =>
  points.flatMap(({ t, fallen }) => (fallen === null ? [] : [{ t, fallen }]));

/** @param {Shape} guess @param {Fallen[]} points */
function meanMiss(guess, points) {
  const misses = known(points).map(({ t, fallen }) => Math.abs(guessedAt(guess, t) - fallen));
  return sum(misses) / misses.length;
}

/**
 * @param {Shape} guess
 * @param {Curve} curve
 * @param {Setting} setting
 * @param {number} last what was measured at the end
 * @returns {Miss}
 */
function about(guess, curve, setting, last) {
  const away = (/** @type {{t: number}} */ { t }) => Math.abs(t - 0.5);
  const middle = known(measured(curve, setting).points).reduce((best, one) =>
    away(one) < away(best) ? one : best,
  );
  const far = curve.layers.indexOf(isForward(setting) ? setting.depth : 1);
  return {
    ...setting,
    g: guess.end,
    m: last,
    off: guessedAt(guess, middle.t) - middle.fallen,
    zero: curve.values[far] === "zero",
    back: !isForward(setting),
  };
}

/**
 * What a class guessed, in a sentence.
 *
 * @param {Guess[]} guesses
 * @param {Curve} curve
 * @param {Setting} setting
 */
export function classWords(guesses, curve, setting) {
  const ends = guesses.filter((guess) => isOf(guess, setting)).map(({ end }) => end);
  if (ends.length === 0) {
    const others = [...new Set(guesses.map((guess) => label(guess.setting)))].join("; ");
    const none = `None of the ${guesses.length} opened guesses is of this network.`;
    return `${none} They are of: ${others}.`;
  }
  const rest = guesses.length - ends.length;
  const left = rest ? ` ${rest} more ${rest > 1 ? "are" : "is"} of other networks.` : "";
  ends.sort((one, other) => one - other);
  const [least, most, median] = [ends[0], ends[ends.length - 1], medianOf(ends)].map(share);
  const last = measured(curve, setting).points.at(-1)?.fallen ?? null;
  const found = last === null ? "it overflows" : share(last);
  return (
    `${ends.length} opened guesses of what the ${farEnd(setting)} gets: from ${least} to ` +
    `${most}, the median ${median}; measured: ${found}.${left}`
  );
}

/** @param {number[]} sorted */
function medianOf(sorted) {
  const middle = (sorted.length - 1) / 2;
  return (sorted[Math.floor(middle)] + sorted[Math.ceil(middle)]) / 2;
}
