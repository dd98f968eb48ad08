// The network in words.

import { grouped } from "../chart/words.js";
import { total } from "./arithmetic.js";

/** @typedef {import("./arithmetic.js").Part} Part */
/** @typedef {Pick<Part, "name" | "modules" | "height" | "width" | "channels">} Maps */

/** @type {Record<string, string>} */
const NAMES = { pooled: "pool", classifier: "classes" };

/** A part as readers know it: "stage1" is stage 1. @param {string} name */
export const partName = (name) => NAMES[name] ?? name.replace(/(?=\d+$)/, " ");

/** Which stage it is, 0 for any other part. @param {string} name */
export const stageOf = (name) => Number(name.match(/^stage(\d+)$/)?.[1] ?? 0);

/** Of the maps that leave a part. @param {Maps} part */
export const sizeOf = ({ name, height, width, channels }) =>
  name === "classifier" ? grouped(channels) : `${height} × ${width} × ${channels}`;

/** @param {Part[]} parts */
export const summary = (parts) =>
  `${total(parts, "modules")} modules, ${grouped(total(parts, "parameters"))} parameters, ` +
  `${grouped(total(parts, "trainable"))} of them trainable; ` +
  `${grouped(total(parts, "multiply_adds"))} multiply-adds an image.`;

/** @type {Record<string, string>} */
const ROLES = {
  image: "What goes in. Its numbers are below.",
  stem: "One 5×5 convolution.",
  pooled: "Halves height and width, and has no weights.",
  stage1: "Keeps height and width.",
  classifier: "The mean of each map, and a dense layer. Its number is below.",
};

/** What a part does. @param {string} name */
export const roleOf = (name) => ROLES[name] ?? "Its first module halves height and width.";

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

/** "Stage 2 must have". @param {string} what */
const owes = (what) => `${opening(calledPart(ownerOf(what)))} must have`;

/** Of what an item of a list is a number. @param {string} what */
const kindOf = (what) => (what.startsWith("stages") ? "modules" : "filters");

/** The two multiples of four beside a number. @param {number} value */
function nearest(value) {
  const below = Math.max(4, 4 * Math.floor(value / 4));
  return `${below} or ${below + 4}`;
}

/** @type {Record<import("./arithmetic.js").Rule, (broken: any) => string>} */
const REFUSALS = {
  positive: ({ what }) =>
    SINGLE[what]
      ? `${SINGLE[what]} must be a whole number, 1 or more.`
      : `${owes(what)} a whole number of ${kindOf(what)}, 1 or more.`,
  list: () => "The network must have a stem and at least one stage.",
  lengths: ({ needed }) =>
    `The stem and each stage must have a number of filters: ${needed} numbers.`,
  by_four: ({ what, value }) =>
    `${owes(what)} a number of filters that four divides, such as ${nearest(value)}.`,
  halvings: ({ what, least }) => `${SINGLE[what]} must be ${least} or more: each stage halves it.`,
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
  `Each stage halves the image: ${width} × ${height} pixels last for ${most}, no more.`;
