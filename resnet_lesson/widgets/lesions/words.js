// What the network still knows, in words.

import { grouped, percent } from "../chart/words.js";

/** @typedef {[right: number[], answers: number[]]} Counts by class */

/**
 * Where the counts without these modules lie: a binary number, the first module its highest digit.
 *
 * @param {string[]} modules
 * @param {string[]} deleted
 */
export const indexOf = (modules, deleted) =>
  parseInt(modules.map((name) => (deleted.includes(name) ? "1" : "0")).join(""), 2);

/** "stage1_unit2" as readers see it. @param {string} name */
const moduleWords = (name) => name.replace("_unit", ", module ").replace("stage", "stage ");

/**
 * @param {string[]} deleted in the order of the network
 * @param {number} right
 * @param {number} whole right with no module deleted
 * @param {number} images
 */
export function found(deleted, right, whole, images) {
  const told = `of ${grouped(images)} test images are told right`;
  if (deleted.length === 0) return `Whole: ${percent(whole, images)} ${told}.`;
  // Of more, the picture says which.
  const few = deleted.length < 3;
  const gone = few ? deleted.map(moduleWords).join("; ") : `${deleted.length} modules`;
  return `Without ${gone}: ${percent(right, images)} ${told}; whole, ${percent(whole, images)}.`;
}

/**
 * Where one answer has swallowed the others.
 *
 * @param {number[]} answers
 * @param {string[]} names
 * @param {number} images
 */
export function favourite(answers, names, images) {
  const most = Math.max(...answers);
  if (most <= images / 2) return "";
  return ` It says “${names[answers.indexOf(most)]}” to ${percent(most, images)} of them.`;
}
