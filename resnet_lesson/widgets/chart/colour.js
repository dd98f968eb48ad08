// The colours of a heat map.

import { odd } from "./constants.js";

/** @typedef {[red: number, green: number, blue: number]} Colour */
/** @typedef {number | null} Decades -Infinity for zero, null for what is not finite */

/**
 * Viridis: its lightness rises evenly, in print and for any colour vision.
 *
 * @type {Colour[]}
 */
const VIRIDIS = [
  [68, 1, 84],
  [71, 44, 122],
  [59, 81, 139],
  [44, 113, 142],
  [33, 144, 141],
  [39, 173, 129],
  [92, 200, 99],
  [170, 220, 50],
  [253, 231, 37],
];

/** "#0072b2" as its three numbers. @param {string} hex @returns {Colour} */
export const fromHex = (hex) => {
  const [red, green, blue] = [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16));
  return [red, green, blue];
};

/** @type {Colour} */
export const ZERO = [255, 255, 255];
export const ODD = fromHex(odd);

/** @param {Decades} decades @param {import("./scale.js").Ends} ends @returns {Colour} */
export function colourOf(decades, [low, high]) {
  if (decades === -Infinity) return ZERO;
  if (decades === null) return ODD;
  const place = ((decades - low) / (high - low)) * (VIRIDIS.length - 1);
  const stop = Math.min(VIRIDIS.length - 2, Math.max(0, Math.floor(place)));
  return between(VIRIDIS[stop], VIRIDIS[stop + 1], Math.min(1, Math.max(0, place - stop)));
}

/** @param {Colour} one @param {Colour} other @param {number} share @returns {Colour} */
function between(one, other, share) {
  const mixed = (/** @type {number} */ at) => Math.round(one[at] + share * (other[at] - one[at]));
  return [mixed(0), mixed(1), mixed(2)];
}
