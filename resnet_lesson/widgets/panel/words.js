// A training in words.

import { plain, short, threeDigits } from "../chart/words.js";
import { TITLES } from "./recording.js";

/** @typedef {import("./recording.js").Measure} Measure */
/** @typedef {import("./recording.js").Shown} Shown */
/** @typedef {import("../chart/colour.js").Decades} Decades */

const FROZEN = -6; // decades of relative update: a step moves a layer by less than a millionth

/** @param {Decades} one @param {Decades} other */
const byOrder = (one, other) => Number(one) - Number(other);

/**
 * A run at a step in words: what the picture shows.
 *
 * @param {Shown} shown
 * @param {number} step
 * @param {Measure} measure
 */
export function describe({ run, strip }, step, measure) {
  const column = run.columnOf(strip, step);
  const { layers, metric, bad } = run.facts;
  const norms = strip.column(column, measure);
  const odd = norms.filter((one) => one === null).length;
  const updates = strip.column(column, "update_ratio");
  const frozen = updates.filter((one) => one !== null && one < FROZEN).length;
  const said = [`loss ${threeDigits(strip.loss[column])}`];
  if (metric) said.push(`${plain(metric)} ${threeDigits(strip.accuracy[column])}`);
  const words = [`${said.join(", ")}.`, ...range(norms, layers, measure)];
  if (odd) words.push(`NaN or infinite in ${odd} of ${layers.length} layers.`);
  if (frozen) {
    words.push(`${frozen} of ${layers.length} layers frozen: relative update under 1e-6.`);
  }
  if (bad) words.push(firstBad(bad));
  return words.join(" ");
}

/**
 * Where a measure is least and largest.
 *
 * @param {Decades[]} norms
 * @param {string[]} layers
 * @param {Measure} measure
 */
function range(norms, layers, measure) {
  const known = norms.map((value, at) => ({ value, layer: layers[at] }));
  const sorted = known
    .filter(({ value }) => value !== null)
    .sort((one, other) => byOrder(one.value, other.value));
  if (sorted.length === 0) return [];
  const [least, most] = [sorted[0], sorted[sorted.length - 1]].map(
    ({ value, layer }) => `${short(Number(value))} (${layer})`,
  );
  return [`${TITLES[measure]} from ${least} to ${most}.`];
}

/** @param {import("./recording.js").Bad} bad */
function firstBad({ layer, step, what, where }) {
  if (where === "forward pass") {
    return `${what} in the forward pass, first in ${layer}, step ${step}.`;
  }
  return `First ${what} gradient: ${layer}, step ${step}.`;
}

/** @param {number | null} seconds */
export function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 90) return `; about ${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 5400) return `; about ${Math.round(seconds / 60)} min left`;
  return `; about ${Math.round(seconds / 3600)} h left`;
}

/** The middle value; what is not finite counts as the largest. @param {Decades[]} column */
export function median(column) {
  const sorted = column.map((one) => one ?? Infinity).sort((one, other) => one - other);
  const middle = sorted[Math.floor(column.length / 2)];
  return middle === Infinity ? null : middle;
}

/**
 * A training's state.
 *
 * @typedef {object} Said
 * @property {string} state
 * @property {number | null} left seconds
 * @property {string} error
 * @property {number} training counts the trainings of a panel
 */

/**
 * @param {Said} said
 * @param {import("./recording.js").Run[]} runs
 * @param {boolean} shown whether there is something to see
 * @returns {string}
 */
export function stateWords({ state, left }, runs, shown) {
  const steps = Math.max(0, ...runs.map(({ facts }) => facts.steps));
  const totals = runs.map(({ facts }) => facts.total ?? 0);
  const of = totals.length && totals.every(Boolean) ? ` of ${Math.max(...totals)}` : "";
  /** @type {Record<string, string>} */
  const words = {
    ready: shown ? `A recorded training of ${steps} steps.` : "Ready.",
    building: "Building: the first step takes some seconds.",
    training: `Training, step ${steps}${of}${timeLeft(left)}.`,
    pausing: "Pausing.",
    paused: `Paused at step ${steps}${of}.`,
    stopping: "Stopping.",
    stopped: `Stopped after ${steps} steps.`,
    finished: `Finished after ${steps} steps.`,
    failed: `Failed after ${steps} steps.`,
  };
  return words[state];
}

/** Who answers, where that is not a kernel. @param {boolean} lost @param {boolean} shown */
export function absence(lost, shown) {
  if (lost) return "The kernel does not answer any more.";
  if (shown) return "No kernel answers: this training was recorded.";
  return "No kernel answers yet: run this cell to train.";
}
