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
const moduleWords = (name) => name.replace(/^stage(\d+)_unit(\d+)$/, "module $2 of stage $1");

/**
 * @param {string[]} deleted in the order of the network
 * @param {number} right images that are classified correctly
 * @param {number} whole the same with no module deleted
 * @param {number} images
 */
export function found(deleted, right, whole, images) {
  const before = percent(whole, images);
  if (deleted.length === 0) {
    const all = grouped(images);
    return `The whole network classifies ${before} of the ${all} test images correctly.`;
  }
  // Of more, the picture says which.
  const gone =
    deleted.length < 3 ? deleted.map(moduleWords).join(" and ") : `${deleted.length} modules`;
  return `Without ${gone}, the accuracy is ${percent(right, images)} instead of ${before}.`;
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
  const name = names[answers.indexOf(most)];
  return ` The answer is “${name}” for ${percent(most, images)} of the images.`;
}
