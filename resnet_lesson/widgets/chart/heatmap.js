// Heat maps: a pixel a cell, and the scale of their colours.

import { line, words } from "./axes.js";
import { colourOf, ODD, ZERO } from "./colour.js";
import { make } from "./elements.js";
import { decadeText, decadeTicks, linear } from "./scale.js";

/** @typedef {import("./colour.js").Decades} Decades */
/** @typedef {{ends: import("./scale.js").Ends, zero: boolean, odd: boolean}} Domain */

/**
 * The decades that these values span, made to differ, and whether some have none.
 *
 * @param {Iterable<Decades>} values
 * @returns {Domain}
 */
export function domainOf(values) {
  let [low, high, zero, odd] = [Infinity, -Infinity, false, false];
  for (const value of values) {
    if (value === null) odd = true;
    else if (value === -Infinity) zero = true;
    else {
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  if (low === Infinity) [low, high] = [0, 0];
  return { ends: high - low < 0.1 ? [low - 0.5, high + 0.5] : [low, high], zero, odd };
}

/**
 * Paint columns of cells on a canvas, and stretch them from the frame's left edge to `to`.
 *
 * @param {HTMLCanvasElement} canvas
 * @param {Decades[][]} columns
 * @param {import("./scale.js").Ends} ends of the colours
 * @param {import("./axes.js").Frame} frame
 * @param {number} to in the frame's own numbers
 */
export function paint(canvas, columns, ends, { left, right, top, bottom, across }, to) {
  const [wide, high, ratio] = [right - left, bottom - top, window.devicePixelRatio || 1];
  Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
  const places = { left, top, width: wide, height: high };
  for (const [name, pixels] of Object.entries(places))
    canvas.style.setProperty(name, `${pixels}px`);
  const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext("2d"));
  context.imageSmoothingEnabled = false;
  const filled = Math.min(canvas.width, (to * canvas.width) / across[1]);
  context.drawImage(cellsOf(columns, ends), 0, 0, filled, canvas.height);
}

/** @param {Decades[][]} columns @param {import("./scale.js").Ends} ends */
function cellsOf(columns, ends) {
  const [width, height] = [columns.length, columns[0].length];
  const cells = new ImageData(width, height);
  columns.forEach((values, column) => {
    values.forEach((value, row) => {
      cells.data.set([...colourOf(value, ends), 255], 4 * (row * width + column));
    });
  });
  const small = make("canvas", { width, height });
  small.getContext("2d")?.putImageData(cells, 0, 0);
  return small;
}

const STEPS = 64; // of the bar

/**
 * The colours of heat maps: a bar with its decades, and the cells that have none.
 *
 * @param {number} width of the picture
 * @param {Domain} domain
 */
export function drawScale(width, { ends, zero, odd }) {
  const [left, right] = [12, Math.min(width - 12, 330)];
  const narrow = width < 560;
  const place = (/** @type {number} */ at) =>
    narrow ? [12 + 108 * at, 44] : [right + 24 + 106 * at, 4];
  const cells = [
    ...(zero ? drawCell(place(0), ZERO, "exactly 0") : []),
    ...(odd ? drawCell(place(zero ? 1 : 0), ODD, "NaN or infinite") : []),
  ];
  return {
    height: narrow && cells.length ? 62 : 38,
    drawn: [...drawBar([left, right], ends), ...drawDecades([left, right], width, ends), ...cells],
  };
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
 * @param {import("./scale.js").Ends} edges
 * @param {number} width
 * @param {import("./scale.js").Ends} ends
 */
function drawDecades(edges, width, ends) {
  const x = linear(ends, edges);
  const whole = decadeTicks(ends, 6);
  return (whole.length > 1 ? whole : ends).flatMap((value) => [
    line(x(value), 16, x(value), 20, "tick"),
    words(Math.max(16, Math.min(width - 16, x(value))), 33, decadeText(value)),
  ]);
}

/** @param {number[]} place @param {import("./colour.js").Colour} fill @param {string} text */
function drawCell([x, y], fill, text) {
  return [
    make("rect", { class: "cell", x, y, width: 12, height: 12, fill: `rgb(${fill})` }),
    words(x + 18, y + 11, text, "start"),
  ];
}
