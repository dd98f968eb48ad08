// Heat maps: a pixel a cell, and the scale of their colours.

import { line, words } from "./axes.js";
import { colourOf, ODD, ZERO } from "./colour.js";
import { make } from "./elements.js";
import { linear } from "./scale.js";
import { power } from "./words.js";

/** @typedef {import("./colour.js").Decades} Decades */
/**
 * @typedef {object} Domain
 * @property {import("./scale.js").Ends} ends in whole decades
 * @property {boolean} less whether some values are smaller than all colours
 * @property {boolean} more whether some are larger
 * @property {boolean} zero whether some are zero
 * @property {boolean} odd whether some are not finite
 */

const RARE = 0.01; // of the values at each end have the colour of the end, as they are so far off

/**
 * The decades of these values, whole ones, which seldom change in a training; and whether some
 * values lie beyond, or have none.
 *
 * @param {Decades[]} values
 * @returns {Domain}
 */
export function domainOf(values) {
  const known = values.filter((value) => value !== null && value !== -Infinity);
  const sorted = Float64Array.from(known).sort();
  const at = (/** @type {number} */ share) => sorted[Math.round(share * (sorted.length - 1))] ?? 0;
  const low = Math.floor(at(RARE));
  const high = Math.max(low + 1, Math.ceil(at(1 - RARE)));
  return {
    ends: [low, high],
    less: at(0) < low,
    more: at(1) > high,
    zero: values.includes(-Infinity),
    odd: values.includes(null),
  };
}

/**
 * Rows of cells, and where they stand.
 *
 * @typedef {{from: number, count: number, top: number, bottom: number}} Band
 */

/**
 * Paint columns of cells on a canvas, and stretch them from the frame's left edge to `to`, and each
 * band of rows from its top to its bottom.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Decades[][]} columns
 * @param {import("./scale.js").Ends} ends of the colours
 * @param {import("./axes.js").Frame} frame
 * @param {{to: number, bands: Band[]}} places in the frame's own numbers
 */
export function paint(canvas, columns, ends, { left, right, top, bottom, across, y }, places) {
  const [wide, high, ratio] = [right - left, bottom - top, window.devicePixelRatio || 1];
  Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
  const box = { left, top, width: wide, height: high };
  for (const [name, pixels] of Object.entries(box)) canvas.style.setProperty(name, `${pixels}px`);
  if (columns.length === 0) return;
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingEnabled = false;
  const filled = Math.min(canvas.width, (places.to * canvas.width) / across[1]);
  const cells = cellsOf(columns, ends);
  const pixel = (/** @type {number} */ row) => Math.round((y(row) - top) * ratio);
  for (const { from, count, top: first, bottom: last } of places.bands) {
    const height = pixel(last) - pixel(first);
    context.drawImage(cells, 0, from, cells.width, count, 0, pixel(first), filled, height);
  }
}

/** @param {Decades[][]} columns @param {import("./scale.js").Ends} ends */
function cellsOf(columns, ends) {
  const [width, height] = [columns.length, columns[0].length];
  const cells = new ImageData(width, height);
  columns.forEach((values, column) => {
    values.forEach((value, row) => {
      const at = 4 * (row * width + column);
      [cells.data[at], cells.data[at + 1], cells.data[at + 2]] = colourOf(value, ends);
      cells.data[at + 3] = 255;
    });
  });
  const small = make("canvas", { width, height });
  small.getContext("2d")?.putImageData(cells, 0, 0);
  return small;
}

const STEPS = 64; // of the bar
const SIDES = [108, 52]; // pixels for the words beside it
const TICKS = 48; // pixels between two powers of ten, at least
export const KEY_HEIGHT = 58; // with room for the cells beneath, whether or not there are such

/**
 * The one key to the colours of heat maps: a bar between small and large, with its powers of ten,
 * and beneath it the cells that have none.
 *
 * @param {number} width of the picture
 * @param {Domain} domain
 * @param {string} what is shown
 */
export function drawKey(width, { zero, odd, ...domain }, what) {
  const bar = Math.min(320, width - SIDES[0] - SIDES[1]);
  const left = (width - bar - SIDES[0] - SIDES[1]) / 2 + SIDES[0];
  /** @type {import("./scale.js").Ends} */
  const edges = [left, left + bar];
  const cells = /** @type {[import("./colour.js").Colour, string][]} */ ([
    ...(zero ? [[ZERO, "exactly 0"]] : []),
    ...(odd ? [[ODD, "NaN or infinite"]] : []),
  ]);
  return [
    ...drawBar(edges, domain.ends),
    words(edges[0] - 10, 14, `small ${what}`, "end"),
    words(edges[1] + 10, 14, "large", "start"),
    ...drawDecades(edges, domain),
    ...cells.flatMap(([fill, text], at) => drawCell([edges[0] + 90 * at, 44], fill, text)),
  ];
}

/** @param {import("./scale.js").Ends} edges @param {import("./scale.js").Ends} ends */
function drawBar([left, right], ends) {
  const wide = (right - left) / STEPS;
  const value = linear([0, STEPS], ends);
  return Array.from({ length: STEPS }, (_, at) =>
    make("rect", {
      x: left + at * wide,
      y: 4,
      width: wide + 0.5,
      height: 12,
      fill: `rgb(${colourOf(value(at + 0.5), ends)})`,
    }),
  );
}

/**
 * Both ends, and what stands evenly between.
 *
 * @param {import("./scale.js").Ends} edges
 * @param {Omit<Domain, "zero" | "odd">} domain
 */
function drawDecades(edges, { ends: [low, high], less, more }) {
  const x = linear([low, high], edges);
  const every = Math.ceil((TICKS * (high - low)) / (edges[1] - edges[0]));
  const count = Math.max(0, Math.floor((high - low) / every));
  const inner = Array.from({ length: count }, (_, at) => low + at * every);
  const decades = [low, ...inner.filter((one) => one > low && one <= high - every), high];
  return decades.flatMap((value) => {
    const sign = value === low && less ? "≤ " : value === high && more ? "≥ " : "";
    return [
      line(x(value), 16, x(value), 20, "tick"),
      words(x(value), 33, sign + (value === 0 || value === 1 ? 10 ** value : power(value))),
    ];
  });
}

/** @param {number[]} place @param {import("./colour.js").Colour} fill @param {string} text */
function drawCell([x, y], fill, text) {
  return [
    make("rect", { class: "cell", x, y, width: 12, height: 12, fill: `rgb(${fill})` }),
    words(x + 18, y + 11, text, "start"),
  ];
}
