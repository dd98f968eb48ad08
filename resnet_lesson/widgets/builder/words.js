// The network in words.

import { grouped, power } from "../chart/words.js";
import { MOST, total } from "./arithmetic.js";

/** @typedef {import("./arithmetic.js").Part} Part */
/** @typedef {Pick<Part, "name" | "modules" | "height" | "width" | "channels">} Maps */

/** @type {Record<string, string>} */
const NAMES = { pooled: "pool", classifier: "classes" };

/** Not what every object has. @param {Record<string, string>} words @param {string} name */
const named = (words, name) => (Object.hasOwn(words, name) ? words[name] : undefined);

/** A part as readers know it: "stage1" is stage 1. @param {string} name */
export const partName = (name) => named(NAMES, name) ?? name.replace(/(?=\d+$)/, " ");

/** Which stage it is, 0 for any other part. @param {string} name */
export const stageOf = (name) => Number(name.match(/^stage(\d+)$/)?.[1] ?? 0);

/** Of the maps that leave a part. @param {Maps} part */
export const sizeOf = ({ name, height, width, channels }) =>
  name === "classifier" ? grouped(channels) : `${height} × ${width} × ${channels}`;

/** A count with all its digits, or as a power where those are many. @param {number} count */
export function counted(count) {
  const [times, exponent] = count.toExponential(2).split("e");
  return count < 1e9 ? grouped(count) : `${times}·${power(Number(exponent))}`;
}

/** @param {Part[]} parts */
export const summary = (parts) =>
  `${total(parts, "modules")} modules, ${grouped(total(parts, "parameters"))} parameters, ` +
  `${grouped(total(parts, "trainable"))} of them trainable; ` +
  `${grouped(total(parts, "multiply_adds"))} multiply-adds an image.`;

/** @type {Record<string, string>} */
const ROLES = {
  image: "The image is what goes in.",
  stem: "The stem is one 5×5 convolution.",
  pooled: "The pool halves height and width. It has no weights.",
  stage1: "Stage 1 keeps height and width.",
  classifier: "A dense layer makes an answer for each class of the mean of each map.",
};

/** What a part does. @param {string} name */
export const roleOf = (name) =>
  named(ROLES, name) ?? `The first module of ${partName(name)} halves height and width.`;

/** The part that an item of a list belongs to: stage2 for filters[2]. @param {string} what */
export function ownerOf(what) {
  const [, list, at] = what.match(/^(stages|filters)\[(\d+)\]$/) ?? [];
  if (list === "stages") return `stage${Number(at) + 1}`;
  if (list === "filters") return at === "0" ? "stem" : `stage${at}`;
  return "";
}

/** @type {Record<string, string>} */
const SINGLE = {
  width: "The image's width",
  height: "The image's height",
  depth: "The image's number of channels",
  classes: "The number of classes",
};

/** With a capital letter. @param {string} words */
export const opening = (words) => words[0].toUpperCase() + words.slice(1);

/** In a sentence: "the stem". @param {string} part */
export const calledPart = (part) => (part === "stem" ? "the stem" : partName(part));

/** "The number of modules of stage 2". @param {string} what */
function numberOf(what) {
  const kind = what.startsWith("stages") ? "modules" : "filters";
  return SINGLE[what] ?? `The number of ${kind} of ${calledPart(ownerOf(what))}`;
}

/** The two numbers beside it that four divides. @param {number} value */
function nearest(value) {
  const below = Math.min(MOST - 4, Math.max(4, 4 * Math.floor(value / 4)));
  return `${below} or ${below + 4}`;
}

/** @param {number} count */
const times = (count) => (count === 1 ? "once" : `${count} times`);

/** @type {Record<import("./arithmetic.js").Rule, (broken: any) => string>} */
const REFUSALS = {
  positive: ({ what }) => `${numberOf(what)} must be a whole number from 1 to ${grouped(MOST)}.`,
  list: () => "The network must have a stem and at least one stage.",
  lengths: ({ needed }) =>
    `There must be ${needed} numbers of filters: one for the stem, and one for each stage.`,
  by_four: ({ what, value }) =>
    `${numberOf(what)} must be one that can be divided by 4, such as ${nearest(value)}.`,
  halvings: ({ what, least, halvings }) =>
    `${SINGLE[what]} must be at least ${least} pixels: this network halves it ${times(halvings)}.`,
  order: ({ choices }) => `The order must be one of ${choices}.`,
};

/** @typedef {import("./arithmetic.js").Refused} Refused */

/** Why no network can be built, to its reader. @param {Refused} refused */
export const refusal = ({ rule, values }) => REFUSALS[rule](values);

/**
 * Why no stage can be added.
 *
 * @param {import("./arithmetic.js").Network} image
 * @param {number} most
 */
export const stagesUsedUp = ({ width, height }, most) =>
  `With one more stage the network would halve the image ${times(most + 1)}. ` +
  `An image of ${width}\u00a0×\u00a0${height} pixels can be halved only ${times(most)}.`;
