// Charts by step: loss, accuracy and the relative update.

import { drawMarks, drawSteps, frameOf, line } from "../chart/axes.js";
import { bandPath, linePath, trianglePath } from "../chart/curve.js";
import { make, set } from "../chart/elements.js";
import { logMarks, roundTicks } from "../chart/scale.js";
import { plain, short, threeDigits } from "../chart/words.js";
import { fitColumns } from "./layout.js";
import { median } from "./words.js";

/** @typedef {import("./maps.js").Seen} Seen */
/** @typedef {import("../chart/axes.js").Frame} Frame */
/** @typedef {import("../chart/curve.js").Point} Point */
/**
 * A line by step, in units of the axis; `low` and `high`, if there, are the edges of its band. What
 * an axis cannot hold stands at its edge: -Infinity at the foot, null at the head.
 *
 * @typedef {object} Line
 * @property {(number | null)[]} ys
 * @property {number[]} [low]
 * @property {number[]} [high]
 */
/** @typedef {Line & {xs: number[]}} Placed */

const HEIGHT = 158;
const MARGINS = { left: 42, right: 16, top: 8, bottom: 36 };
const LEAST = 200; // pixels of a chart's width, where several stand side by side
const GUIDE = -3; // decades of the relative update: a rule of thumb

/** @param {number | null} value @returns {value is number} */
const finite = (value) => Number.isFinite(value);

/** @param {number | null} value */
const log = (value) => (value === null ? null : Math.log10(value));

class Chart {
  svg = make("svg", { role: "img" });
  title = make("figcaption");
  figure = make("figure", {}, [this.title, this.svg]);

  /** @param {string} title */
  constructor(title) {
    this.title.textContent = title;
  }

  /**
   * @param {Placed[]} lines one a run
   * @param {Frame} frame
   * @param {import("../chart/scale.js").Mark[]} marks
   * @param {number | null} guide
   */
  draw(lines, frame, marks, guide = null) {
    const width = frame.right + MARGINS.right;
    set(this.svg, { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT });
    const { left, right, y } = frame;
    this.svg.replaceChildren(
      ...drawMarks(frame, marks),
      ...drawSteps(frame),
      ...(guide === null ? [] : [line(left, y(guide), right, y(guide), "guide")]),
      ...lines.map((one, run) => make("g", { class: `run-${run}` }, drawLine(one, frame))),
    );
  }
}

/** @param {Placed} line @param {Frame} frame */
function drawLine({ xs, ys, low, high }, frame) {
  const inside = (/** @type {number} */ value) =>
    frame.y(Math.max(frame.ends[0], Math.min(frame.ends[1], value)));
  const placed = (/** @type {number[]} */ values) =>
    xs.map((step, at) => /** @type {Point} */ ([frame.x(step), inside(values[at])]));
  const points = ys.map((value, at) =>
    finite(value) ? /** @type {Point} */ ([frame.x(xs[at]), inside(value)]) : null,
  );
  const odd = ys.flatMap((value, at) =>
    finite(value) ? [] : [trianglePath(frame.x(xs[at]), frame, value === -Infinity, 6)],
  );
  return [
    ...(low && high
      ? [make("path", { class: "band", d: bandPath(placed(high), placed(low)) })]
      : []),
    make("path", { class: "curve", d: linePath(points) }),
    ...odd.map((d) => make("path", { class: "odd", d })),
  ];
}

export class Curves {
  #loss = new Chart("Loss, mean of the epoch so far");
  #accuracy = new Chart("");
  #update = new Chart("Relative update: median and range of the layers; line at 1e-3");
  grid = make(
    "div",
    { class: "grid" },
    [this.#loss, this.#accuracy, this.#update].map(({ figure }) => figure),
  );

  /** @param {Seen[]} all @param {number} extent in steps @param {number} room pixels across */
  draw(all, extent, room) {
    const { metric } = all[0].run.facts;
    const width = fitColumns(this.grid, room, metric === null ? 2 : 3, LEAST);
    const across = { width, extent };
    drawLog(
      this.#loss,
      across,
      linesOf(all, ({ strip }, at) => log(strip.loss[at])),
    );
    this.#drawAccuracy(all, across, metric);
    drawLog(this.#update, across, all.map(updates), GUIDE);
  }

  /** @param {Seen[]} all @param {Across} across @param {string | null} metric */
  #drawAccuracy(all, { width, extent }, metric) {
    this.#accuracy.figure.hidden = metric === null;
    const name = plain(metric ?? "").replace(/^./, (letter) => letter.toUpperCase());
    this.#accuracy.title.textContent = `${name}, mean of the epoch so far`;
    const lines = linesOf(all, ({ strip }, at) => strip.accuracy[at]);
    const known = lines.flatMap(({ ys }) => ys).filter(finite);
    const [low, high] = [Math.min(0, ...known), Math.max(1, ...known)];
    const frame = frameOf({ width, height: HEIGHT }, MARGINS, [0, extent], [low, high]);
    const marks = roundTicks([low, high], 4);
    this.#accuracy.draw(
      lines,
      frame,
      marks.map((value) => [value, `${value}`]),
    );
  }

  /** @param {Seen[]} all */
  say(all) {
    const said = (/** @type {(seen: Seen, column: number) => string} */ words) =>
      all.map((seen) => `${seen.run.facts.name} ${words(seen, seen.columns - 1)}`).join(", ");
    const label = (/** @type {Chart} */ chart, /** @type {string} */ words) =>
      set(chart.svg, { "aria-label": words });
    label(this.#loss, `Loss: ${said(({ strip }, at) => threeDigits(strip.loss[at]))}`);
    label(this.#accuracy, `Accuracy: ${said(({ strip }, at) => threeDigits(strip.accuracy[at]))}`);
    const middle = said(({ strip }, at) => {
      const update = median(strip.column(at, "update_ratio"));
      return update === null ? "not finite" : short(update);
    });
    label(this.#update, `Median relative update, beside a line at 1e-3: ${middle}`);
  }
}

/** @typedef {{width: number, extent: number}} Across pixels, and the steps that they hold */

/** In the middle of its column. @param {Seen} seen */
const stepsOf = ({ run, strip, columns }) =>
  Array.from({ length: columns }, (_, at) => (at + 0.5) * run.width(strip));

/**
 * @param {Seen[]} all
 * @param {(seen: Seen, column: number) => number | null} value
 * @returns {Placed[]}
 */
const linesOf = (all, value) =>
  all.map((seen) => {
    const xs = stepsOf(seen);
    return { xs, ys: xs.map((_, at) => value(seen, at)) };
  });

/** The median and the range of the layers. @param {Seen} seen @returns {Placed} */
function updates(seen) {
  const xs = stepsOf(seen);
  const columns = xs.map((_, at) => seen.strip.column(at, "update_ratio"));
  const known = columns.map((column) => column.map((value) => value ?? Infinity));
  return {
    xs,
    ys: columns.map(median),
    low: known.map((column) => Math.min(...column)),
    high: known.map((column) => Math.max(...column)),
  };
}

/**
 * A chart of decades.
 *
 * @param {Chart} chart
 * @param {Across} across
 * @param {Placed[]} lines
 * @param {number | null} guide
 */
function drawLog(chart, { width, extent }, lines, guide = null) {
  const values = lines
    .flatMap(({ ys, low = [], high = [] }) => [...ys, ...low, ...high])
    .filter(finite);
  if (guide !== null || values.length === 0) values.push(guide ?? 0);
  const [least, most] = [Math.min(...values), Math.max(...values)];
  const room = 0.05 * (most - least) + 0.02;
  const size = { width, height: HEIGHT };
  const frame = frameOf(size, MARGINS, [0, extent], [least - room, most + room]);
  chart.draw(lines, frame, logMarks(frame.ends), guide);
}
