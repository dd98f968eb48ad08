// What the race says.

import { EPOCH, MOST } from "../engine/race.js";

export const RATES = [0.003, 0.01, 0.03, 0.1];
const LEARNED = 0.05; // of the digits wrong, at most, by one that has learned
const FAILED = 0.15; // and at least, by one that has not

/**
 * Each share averaged with those of the steps before it, an epoch's at most.
 *
 * @param {number[]} shares
 */
export function averaged(shares) {
  let sum = 0;
  return shares.map((share, at) => {
    sum += share - (shares[at - EPOCH] ?? 0);
    return sum / Math.min(at + 1, EPOCH);
  });
}

/** @param {number} share */
const percent = (share) => `${share < 0.1 ? (100 * share).toFixed(1) : Math.round(100 * share)} %`;

/** @param {number} steps @param {number[]} wrong of the plain and of the residual network */
export const running = (steps, [plain, residual]) =>
  `After ${steps} steps, the plain network reads ${percent(plain)} of its training digits ` +
  `wrongly, and the residual one ${percent(residual)}.`;

/** @param {number} depth @param {number[]} wrong */
export function finished(depth, [plain, residual]) {
  if (residual <= LEARNED && plain >= FAILED) {
    return (
      "The plain network fails on the very digits that it was trained on, so it does not " +
      "overfit. Now try 2 layers: a plain network can learn this."
    );
  }
  if (plain <= LEARNED && residual <= LEARNED) {
    return depth < 20 ? "Both have learned. Now try 30 layers." : "Both have learned.";
  }
  if (residual <= LEARNED) {
    const more = depth < MOST ? " More layers set them further apart." : "";
    return `The residual network has learned, and the plain one is behind.${more}`;
  }
  return plain >= FAILED && residual >= FAILED
    ? "Neither has learned. Try another learning rate."
    : "They have not learned it well so far. Try another learning rate.";
}
