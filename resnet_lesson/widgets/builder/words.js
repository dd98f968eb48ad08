// The network in words.

import { grouped } from "../chart/words.js";
import { total } from "./arithmetic.js";

/** @typedef {import("./arithmetic.js").Part} Part */

/** @param {Part[]} parts */
export const summary = (parts) =>
  `${total(parts, "modules")} modules, ${grouped(total(parts, "parameters"))} parameters, ` +
  `${grouped(total(parts, "trainable"))} of them trainable; ` +
  `${grouped(total(parts, "multiply_adds"))} multiply-adds an image.`;

/** What the picture shows. @param {Part[]} parts */
export const mapsInWords = (parts) => {
  const maps = parts.map(
    ({ name, height, width, channels }) => `${name} ${height} by ${width} by ${channels}`,
  );
  return `Feature maps to scale: ${maps.join(", ")}`;
};
