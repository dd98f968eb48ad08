// Numbers to places, and the round numbers that an axis names. d3's would be forty times the size.

import { power, short, twoDigits } from "./words.js";

/** @typedef {[number, number]} Ends */
/** @typedef {[value: number, text: string]} Mark where an axis has a mark, and what it says */

/** The line through two points, as a function. @param {Ends} domain @param {Ends} range */
export function linear([from, to], [start, end]) {
  return (/** @type {number} */ value) => start + ((value - from) / (to - from)) * (end - start);
}

/** Multiples of a step, from this one to that. @param {number} step @param {Ends} ends */
const multiples = (step, [first, last]) =>
  Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => (first + at) * step);

/**
 * At most `most` intervals of round numbers within the ends.
 *
 * @param {Ends} ends
 * @param {number} most
 */
export function roundTicks([low, high], most) {
  const least = (high - low) / most;
  const size = 10 ** Math.floor(Math.log10(least));
  const step = [1, 2, 5].map((one) => one * size).find((one) => one >= least * 0.999) ?? 10 * size;
  // What differs by rounding only is on the mark.
  const ends = [Math.ceil(low / step - 1e-9), Math.floor(high / step + 1e-9)];
  return multiples(step, /** @type {Ends} */ (ends)).map((tick) => Number(tick.toPrecision(6)));
}

/**
 * Whole decades within the ends, at most `most`, evenly spaced.
 *
 * @param {Ends} ends in decades
 * @param {number} most
 */
export function decadeTicks([low, high], most) {
  const every = Math.max(1, Math.ceil((Math.floor(high) - Math.ceil(low) + 1) / most));
  return multiples(every, [Math.ceil(low / every), Math.floor(high / every)]);
}

/** A number by its decades, plain where that is short. @param {number} decades */
export function decadeText(decades) {
  if (decades >= -2 && decades <= 3) return `${twoDigits(10 ** decades)}`;
  return Number.isInteger(decades) ? power(decades) : short(decades).replace(".0e", "e");
}

/**
 * Where a log axis has its marks: at whole decades, or closer where there are not two.
 *
 * @param {Ends} ends in decades
 * @returns {Mark[]}
 */
export function logMarks([low, high]) {
  const whole = decadeTicks([low, high], 4);
  const marks = whole.length > 1 ? whole : closeMarks([low, high]);
  return (marks.length > 1 ? marks : [low, high]).map((decades) => [decades, decadeText(decades)]);
}

/** @param {Ends} ends */
function closeMarks([low, high]) {
  const decade = Math.floor(low);
  return [decade, decade + 1]
    .flatMap((start) => [1, 1.5, 2, 3, 5, 7].map((one) => start + Math.log10(one)))
    .filter((place) => place >= low && place <= high);
}
