// A training in words.

import { panel } from "../chart/constants.js";
import { grouped, power, threeDigits, twoDigits } from "../chart/words.js";
import { called } from "./names.js";

/** @typedef {import("./recording.js").Measure} Measure */
/** @typedef {import("./recording.js").Shown} Shown */
/** @typedef {import("../chart/colour.js").Decades} Decades */

const FROZEN = -6; // decades of an update: a step moves a layer by less than a millionth
/** @type {Record<Measure, string>} */
const QUESTIONS = {
  gradient_norm: "How large is each layer’s gradient, step by step?",
  weight_norm: "How large do each layer’s weights get, step by step?",
  update_ratio: "By how much of its size does a step change each layer?",
};

/** The question of the picture. @param {Measure} measure */
export const question = (measure) => QUESTIONS[measure];

/**
 * What to try, with no button that is not there or would do nothing.
 *
 * @param {import("./controls.js").State} controls
 * @param {boolean} building
 * @param {number} count networks
 */
export function hint({ mode, obeys, state, playing }, building, count) {
  if (mode === "replay") {
    return playing
      ? "Watch the first layers, at the top."
      : "Try first: press Play and watch the first layers, at the top.";
  }
  const guess = count > 1 ? "whose loss will fall faster" : "where the gradient will be largest";
  if (mode === "start") {
    return `Try first: say ${guess}; then ${obeys ? "press Start" : "run this cell"}.`;
  }
  if (state === "stopping") return "What was trained stays, and can be played.";
  if (building && state !== "paused") return `While it is built: say ${guess}.`;
  if (state === "training") return "Press Pause and say what you expect next; then go on.";
  return "Say what you expect next; then press Go on.";
}

// -------------------------------------------------------------- numbers

/** A number by its decades, as one reads it: 0.032, or 3.2 × 10⁻⁴. @param {Decades} decades */
export function size(decades) {
  if (decades === null) return "not finite";
  if (decades === -Infinity) return "0";
  if (decades >= -2 && decades < 4) return `${twoDigits(10 ** decades)}`;
  const exponent = Math.floor(decades + 0.005);
  return `${(10 ** (decades - exponent)).toFixed(1)} × ${power(exponent)}`;
}

/** How many times as large. @param {Decades} one @param {Decades} other */
function times(one, other) {
  if (one === null || other === null) return "not finite";
  if (one === other) return "as large";
  if (one === -Infinity) return "zero";
  const decades = one - other;
  if (Math.abs(decades) < 0.05) return "about as large";
  return decades > -1 ? `${size(decades)} times as large` : `1/${size(-decades)} as large`;
}

/** The middle value; what is not finite counts as the largest. @param {Decades[]} column */
export function median(column) {
  const sorted = column.map((one) => one ?? Infinity).sort((one, other) => one - other);
  const middle = sorted[Math.floor(column.length / 2)];
  return middle === Infinity ? null : middle;
}

// -------------------------------------------------------------- a step

/**
 * What is seen at a step, and what the picture says of it.
 *
 * @param {Shown[]} all
 * @param {number} step
 * @param {Measure} measure
 */
export function sentence(all, step, measure) {
  const learnt = all.map((shown) => progress(shown, step));
  const names = all.map(({ run }) => called(run.facts.name));
  const alike = all.length > 1 && learnt.every(({ one }) => one === learnt[0].one);
  const seen = alike
    ? `both networks ${learnt[0].many}`
    : names.map((name, at) => `${name} ${learnt[at].one}`).join("; ");
  const bad = all.flatMap(({ run }) => (run.facts.bad ? [firstBad(run.facts.bad)] : []));
  return {
    seen: `At step ${step} ${seen}.`,
    more: [...bad, compare(all, step, measure)].join(" "),
  };
}

/**
 * How far a loss has come, for one network and for both.
 *
 * @param {Shown} shown
 * @param {number} step
 */
function progress({ run, strip }, step) {
  const loss = strip.loss[run.columnOf(strip, step)];
  if (loss === null) return { one: "has a loss that is not finite", many: "have lost their loss" };
  const first = strip.loss[0] ?? 0;
  if (first <= 0) return { one: `has a loss of ${threeDigits(loss)}`, many: "have the same loss" };
  const share = loss / first;
  if (share > 1.1)
    return { one: "does worse than at its start", many: "do worse than at the start" };
  if (share > 0.9) return both("hardly begun to learn");
  if (share > 0.5) return both("begun to learn");
  if (share > 0.1) return both("learnt a part of the task");
  return both("learnt most of the task");
}

/** @param {string} words */
const both = (words) => ({ one: `has ${words}`, many: `have ${words}` });

/**
 * What the measure says at a step.
 *
 * @param {Shown[]} all
 * @param {number} step
 * @param {Measure} measure
 */
function compare(all, step, measure) {
  const said = (/** @type {(column: Decades[], first: Decades[]) => string} */ words) =>
    all
      .map(({ run, strip }) => {
        const column = strip.column(run.columnOf(strip, step), measure);
        const place = all.length > 1 ? ` in ${called(run.facts.name)}` : "";
        return words(column, strip.column(0, measure)) + place;
      })
      .join(", ");
  switch (measure) {
    case "gradient_norm":
      return `Compared with the last layer’s, the first layer’s gradient is ${said((column) =>
        times(column[0], column[column.length - 1]),
      )}.`;
    case "weight_norm":
      return `Compared with the first step, the first layer’s weights are ${said((column, first) =>
        times(column[0], first[0]),
      )}.`;
    default:
      return `The middle layer changes by ${said(updates)}; ${power(-3)} of its size is usual.`;
  }
}

/** The middle of the updates, and how many hardly are. @param {Decades[]} column */
function updates(column) {
  const frozen = column.filter((one) => one !== null && one < FROZEN).length;
  const still = frozen
    ? ` (${frozen} of ${column.length} layers by less than ${power(FROZEN)})`
    : "";
  return size(median(column)) + still;
}

/** @param {import("./recording.js").Bad} bad */
function firstBad({ layer, step, what, where }) {
  if (where === "forward pass") {
    return `${what} in the forward pass, first in ${layer}, step ${step + 1}.`;
  }
  return `First ${what} gradient: ${layer}, step ${step + 1}.`;
}

/**
 * A cell of a heat map: its layer, and its steps with their value.
 *
 * @param {Shown} shown
 * @param {number} column
 * @param {number} layer
 * @param {Measure} measure
 */
export function cellWords({ run, strip }, column, layer, measure) {
  const width = run.width(strip);
  const [first, last] = [column * width + 1, Math.min(run.facts.steps, (column + 1) * width)];
  const steps = first === last ? `step ${first}` : `steps ${first} to ${last}`;
  const value = size(strip.column(column, measure)[layer]);
  return [run.facts.layers[layer].replaceAll("_", " "), `${steps}: ${value}`];
}

/**
 * A map at a step, for who does not see it.
 *
 * @param {Shown} shown
 * @param {number} step
 * @param {Measure} measure
 */
export function describe({ run, strip }, step, measure) {
  const column = run.columnOf(strip, step);
  const norms = strip.column(column, measure);
  const { name, metric, layers } = run.facts;
  const odd = norms.filter((one) => one === null).length;
  const said = [
    `${name}, step ${step}: loss ${threeDigits(strip.loss[column])}`,
    ...(metric ? [`${metric.replaceAll("_", " ")} ${threeDigits(strip.accuracy[column])}`] : []),
    `first layer ${size(norms[0])}, last layer ${size(norms[norms.length - 1])}`,
    ...(odd ? [`not finite in ${odd} of ${layers.length} layers`] : []),
    "the arrow keys say one cell after the other",
  ];
  return said.join("; ");
}

// -------------------------------------------------------------- the training

/**
 * A training's state.
 *
 * @typedef {object} Said
 * @property {string} state
 * @property {number | null} seconds since it began
 * @property {number | null} left seconds
 * @property {string} error
 * @property {number} training counts the trainings of a panel
 */

/** @param {number | null} seconds */
export function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 90) return `, about ${Math.max(1, Math.round(seconds))} s left`;
  if (seconds < 5400) return `, about ${Math.round(seconds / 60)} min left`;
  return `, about ${Math.round(seconds / 3600)} h left`;
}

/**
 * How far the training is, in numbers.
 *
 * @param {Said} said
 * @param {{step: number, last: number, planned: number | null}} steps
 * @param {number | null} building for so many seconds
 */
export function stepWords({ state, left }, { step, last, planned }, building) {
  if (building !== null && state !== "paused") return `building, ${Math.round(building)} s`;
  const of = planned ? ` of ${grouped(planned)}` : "";
  if (panel.live.includes(state)) return `step ${grouped(last)}${of}${timeLeft(left)}`;
  return last ? `step ${grouped(step)} of ${grouped(last)}` : "";
}

/**
 * How the training stands; it changes seldom, as it is read out.
 *
 * @param {import("./sources.js").KernelSource} kernel
 * @param {boolean} building
 * @param {number} last step
 */
export function note({ here, lost, late, silent, status, said: { state } }, building, last) {
  if (lost) {
    return "The kernel has gone, and its training with it: run this cell again to train.";
  }
  if (!here) {
    return last
      ? "No kernel answers: this is a recorded training."
      : "No kernel answers yet: run this cell to train.";
  }
  if (late && status === "busy") {
    return "The kernel runs a cell: it will do what you pressed at the end of that.";
  }
  if (late) return "The kernel is busy: what you pressed waits.";
  if (building && BUILDING[state]) return BUILDING[state];
  if (silent) return "No word for some seconds: the kernel is busy.";
  return STATES[state](last);
}

/** @type {Record<string, string>} */
const BUILDING = {
  building: "Building comes first: 10 seconds to a minute, longer for deep networks.",
  pausing: "It holds as soon as the network is built.",
  stopping: "It stops as soon as the network is built.",
};
/** @type {Record<string, (steps: number) => string>} */
const STATES = {
  ready: (steps) => (steps ? `A recorded training of ${steps} steps.` : "Nothing is trained yet."),
  building: () => "Building.",
  training: () => "Training.",
  pausing: () => "Pausing.",
  paused: () => "Paused.",
  stopping: () => "Stopping.",
  stopped: (steps) => `Stopped after ${steps} steps.`,
  finished: (steps) => `Finished after ${steps} steps.`,
  failed: (steps) => `Failed after ${steps} steps.`,
};
