// The loss of each network by step, with its name at the end of its line.

import { drawMarks, frameOf, words } from "../chart/axes.js";
import { linePath, trianglePath } from "../chart/curve.js";
import { make, set } from "../chart/elements.js";
import { logMarks, roundTicks } from "../chart/scale.js";
import { threeDigits } from "../chart/words.js";
import { cut, looks } from "./names.js";
import { drawPlayhead, drawSteps } from "./steps.js";

/** @typedef {import("./recording.js").Shown} Shown */
/** @typedef {import("../chart/axes.js").Frame} Frame */
/** @typedef {import("../chart/curve.js").Point} Point */
/** @typedef {{steps: number[], losses: (number | null)[]}} Line null is not finite */

const HEIGHT = 166;
const MARGINS = { left: 60, top: 24, bottom: 24 };
const LETTER = 7.5; // pixels, about
const LETTERS = 14; // of a name, at most
const APART = 15; // pixels between two names
const EDGE = 6; // pixels between a name and the frame's head or foot
const SEEN = 24; // pixels of a curve, until its name stands at its end
const LINEAR = 10; // a loss up to here is drawn as it is, a larger one by its decades

export class Loss {
  svg = make("svg", { role: "img" });

  /**
   * @param {string[]} names of the networks, also of those that have not begun
   * @param {Shown[]} all that have
   * @param {import("./steps.js").View} view
   */
  draw(names, all, view) {
    const width = this.svg.parentElement?.clientWidth ?? 0;
    const size = { width, height: HEIGHT };
    const longest = Math.min(LETTERS, Math.max(...names.map(({ length }) => length)));
    const margins = { ...MARGINS, right: Math.min(0.3 * width, longest * LETTER + 10) };
    const lines = all.map(lineOf);
    const axis = axisOf(lines);
    const { marks, place } = axis;
    const frame = frameOf(size, margins, [0, view.extent], axis.ends);
    set(this.svg, { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT });
    const drawn = lines.map((one) => drawLine(one, frame, place));
    const begun = all.map(({ run }) => run.facts.name);
    const colours = looks(names);
    const ends = drawNames(
      begun,
      drawn.map(({ end }) => end),
      frame,
    );
    const within = (/** @type {(which: number) => Node[]} */ parts) =>
      begun.map((name, at) => make("g", { class: colours[names.indexOf(name)] }, parts(at)));
    this.svg.replaceChildren(
      words(0, 12, "training loss", "start"),
      ...drawMarks(frame, all.length ? marks : marks.map(([at]) => [at, ""])),
      ...(all.length ? drawSteps(frame) : []),
      ...within((at) => drawn[at].drawn),
      ...(all.length ? drawPlayhead(frame, view) : []),
      ...within((at) => (drawn[at].end[0] - frame.left < SEEN ? [] : [ends[at]])),
    );
  }

  /** @param {Shown[]} all @param {number} step */
  say(all, step) {
    const said = all.map(({ run, strip }) => {
      return `${run.facts.name} ${threeDigits(strip.loss[run.columnOf(strip, step)])}`;
    });
    const label = all.length ? `at step ${step}: ${said.join(", ")}` : "of no step yet";
    set(this.svg, { "aria-label": `Training loss ${label}` });
  }
}

/** In the middle of each column. @param {Shown} shown @returns {Line} */
function lineOf({ run, strip }) {
  const width = run.width(strip);
  return { steps: strip.loss.map((_, at) => (at + 0.5) * width), losses: strip.loss };
}

/**
 * From zero where no loss is large, else by decades: its ends, its marks, and a loss's place on it.
 *
 * @param {Line[]} lines
 */
function axisOf(lines) {
  const known = lines.flatMap(({ losses }) => losses).filter((one) => one !== null);
  const [least, most] = [Math.min(0, ...known), Math.max(...known)];
  /** @type {import("../chart/scale.js").Ends} */
  let ends = [least, most > least ? most : 1];
  if (least < 0 || most <= LINEAR || known.length === 0) {
    /** @type {import("../chart/scale.js").Mark[]} */
    const marks = roundTicks(ends, 4).map((value) => [value, `${value}`]);
    return { ends, marks, place: (/** @type {number} */ loss) => loss };
  }
  const decades = known.filter((loss) => loss > 0).map(Math.log10);
  ends = [Math.min(...decades), Math.max(...decades) + 0.1];
  return { ends, marks: logMarks(ends), place: Math.log10 };
}

/**
 * A curve, and triangles at the head for what is not finite.
 *
 * @param {Line} line
 * @param {Frame} frame
 * @param {(loss: number) => number} place
 */
function drawLine({ steps, losses }, frame, place) {
  const points = losses.map((loss, at) => {
    const value = loss === null ? NaN : place(loss);
    const point = /** @type {Point} */ ([frame.x(steps[at]), frame.y(value)]);
    return Number.isFinite(value) ? point : null;
  });
  const odd = losses.flatMap((loss, at) =>
    loss === null ? [trianglePath(frame.x(steps[at]), frame, false, 6)] : [],
  );
  return {
    end: points.at(-1) ?? [frame.x(steps[steps.length - 1]), frame.top],
    drawn: [
      make("path", { class: "curve", d: linePath(points) }),
      ...odd.map((d) => make("path", { class: "odd", d })),
    ],
  };
}

/**
 * Names at the ends of lines, apart from each other and from what stands above and below.
 *
 * @param {string[]} names
 * @param {Point[]} ends
 * @param {Frame} frame
 */
function drawNames(names, ends, { top, bottom }) {
  const heights = ends.map(([, y]) => y);
  const [upper, lower] = heights[0] <= heights[1] ? [0, 1] : [1, 0];
  const push = (APART - (heights[lower] - heights[upper])) / 2;
  if (push > 0) {
    heights[upper] -= push;
    heights[lower] += push;
  }
  const high = Math.max(0, top + EDGE - Math.min(...heights));
  const low = Math.max(0, Math.max(...heights) - (bottom - EDGE));
  return names.map((name, at) => {
    const end = words(ends[at][0] + 8, heights[at] + high - low + 4.5, cut(name, LETTERS), "start");
    set(end, { class: "name" });
    return end;
  });
}
