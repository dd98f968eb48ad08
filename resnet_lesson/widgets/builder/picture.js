// The network's feature maps to scale; each part is a radio button of the picture.

import { sum } from "../chart/data.js";
import { KEYS, make, set, unique } from "../chart/elements.js";
import { partName, sizeOf } from "./words.js";

/** @typedef {import("./words.js").Maps} Maps */
/**
 * @typedef {{left: number, width: number, line: number, size: string}} Column where a part stands,
 *   the line of its name, and its size
 */

const HEIGHT = 136; // of the highest map
const LEAST = 4; // pixels of a box, its edge among them
const MOST = 0.5; // pixels a channel
const GAPS = { least: 6, most: 40 };
// Of names in rows, which reach over their neighbours: to the next one in a row, and of the last.
const PITCH = { row: 92, last: 44 };
const LINE = 16; // a line of words, in pixels

/** @param {Maps} part */
const nameOf = ({ name }) => partName(name);

/** Boxes that a part is drawn as. @param {Maps} part */
const count = (part) => Math.max(1, part.modules);

/** About as wide as text of 12 pixels is. @param {string} text */
const textWidth = (text) => 7 * text.length + 2;

/** Rows of names below the picture; the width alone says how many, so that it keeps its height. */
const rowsOf = (/** @type {number} */ width) => (width > 620 ? 2 : 3);

/**
 * How the words of the parts lie: in how many rows, with their sizes or `bare`, and how narrow that
 * lets the columns be.
 *
 * @param {Maps[]} maps
 * @param {number} width
 */
function arrange(maps, width) {
  const [gaps, names, sizes] = [maps.length - 1, maps.map(nameOf), maps.map(sizeOf)];
  const whole = maps.map((_, at) => Math.max(textWidth(names[at]), textWidth(sizes[at])));
  // In a row, if that leaves enough for the boxes.
  if (sum(whole) <= 0.7 * width) return { rows: 1, least: whole, sizes, bare: false };
  const most = rowsOf(width);
  const pitch = Math.min(PITCH.row / most, (width - PITCH.last) / gaps);
  const least = maps.map((_, at) => (at < gaps ? pitch - GAPS.least : PITCH.last));
  const short = sizes.map((size) => size.replaceAll(" ", ""));
  const fit = Math.max(...short.map(textWidth)) + GAPS.least <= most * pitch;
  if (fit) return { rows: most, least, sizes: short, bare: false };
  const needed = Math.ceil(Math.max(...names.map(textWidth)) / pitch);
  return { rows: Math.min(2 * most, needed), least, sizes: short, bare: true };
}

/**
 * The part's boxes are as wide as it has channels, on one scale for all: the largest for which
 * the columns fit. A column is no narrower than its least.
 *
 * @param {Maps[]} maps
 * @param {number[]} least
 * @param {number} width
 */
function scaleOf(maps, least, width) {
  const wide = (/** @type {number} */ scale) =>
    sum(maps.map((part, at) => Math.max(least[at], boxesWidth(part, scale))));
  let [low, high] = [0, MOST];
  if (wide(high) <= width) return high;
  while (high - low > 1e-5) {
    const middle = (low + high) / 2;
    [low, high] = wide(middle) <= width ? [middle, high] : [low, middle];
  }
  return low;
}

/** @param {Maps} part @param {number} scale */
const boxesWidth = (part, scale) => Math.max(LEAST, part.channels * scale * count(part));

/** @param {Maps[]} maps @param {number} width */
function columnsOf(maps, width) {
  const gaps = maps.length - 1;
  const { rows, least, sizes, bare } = arrange(maps, width);
  const scale = scaleOf(maps, least, width - GAPS.least * gaps);
  const widths = maps.map((part, at) => Math.max(least[at], boxesWidth(part, scale)));
  const gap = Math.min(GAPS.most, Math.max(GAPS.least, (width - sum(widths)) / gaps));
  let next = 0;
  const columns = widths.map((one, at) => {
    const left = next;
    next += one + gap;
    return { left, width: one, line: (at % rows) * (bare ? 1 : 2), size: sizes[at] };
  });
  return { columns, scale, narrow: rows > 1, bare };
}

/**
 * @param {Maps} part
 * @param {Column} column
 * @param {number} scale
 * @param {number} height
 */
function boxesOf(part, column, scale, height) {
  const width = boxesWidth(part, scale);
  const boxes = width / count(part) > 2 ? count(part) : 1; // thinner ones would run together
  const left = column.left + (column.width - width) / 2;
  return Array.from({ length: boxes }, (_, box) =>
    make("rect", {
      class: "map",
      x: left + (box * width) / boxes,
      y: (HEIGHT - height) / 2,
      width: width / boxes,
      height,
    }),
  );
}

export class Picture {
  svg = make("svg", { "aria-hidden": true, height: HEIGHT });
  /** @type {Record<string, {label: HTMLElement, radio: HTMLInputElement}>} */
  parts = {};
  #group = unique("part");

  /** @param {(name: string) => void} pick */
  constructor(pick) {
    this.pick = pick;
    this.labels = make("div", { role: "radiogroup", "aria-label": "Feature maps, to scale" });
    this.element = make("div", { class: "maps" }, [this.svg, this.labels]);
  }

  /** @param {Maps[]} maps @param {string} picked @param {number} width */
  show(maps, picked, width) {
    this.#refresh(maps.map(({ name }) => name));
    const { columns, scale, narrow, bare } = columnsOf(maps, width);
    const down = HEIGHT / Math.max(...maps.map((part) => part.height));
    this.element.classList.toggle("narrow", narrow);
    this.element.classList.toggle("bare", bare);
    set(this.element, { style: `--words: ${2 * LINE * rowsOf(width)}px` });
    this.svg.replaceChildren(
      ...maps.map((part, at) => {
        const height = Math.max(LEAST, part.height * down);
        const kind = part.name === picked ? "picked" : "";
        this.#place(part, columns[at], part.name === picked);
        return make("g", { class: kind }, boxesOf(part, columns[at], scale, height));
      }),
    );
  }

  /** Radio buttons are made anew only where there are others. @param {string[]} names */
  #refresh(names) {
    if (Object.keys(this.parts).join() === names.join()) return;
    const focused = names.find((name) => this.parts[name]?.radio === document.activeElement);
    this.parts = Object.fromEntries(names.map((name) => [name, this.#partFor(name)]));
    this.labels.replaceChildren(...names.map((name) => this.parts[name].label));
    if (focused) this.parts[focused].radio.focus();
  }

  /** @param {string} name */
  #partFor(name) {
    const radio = make("input", { type: "radio", name: this.#group, value: name, ...KEYS });
    radio.addEventListener("input", () => this.pick(name));
    const words = [make("b", {}, [partName(name)]), make("span")];
    return { label: make("label", { class: "part" }, [radio, ...words]), radio };
  }

  /** @param {Maps} part @param {Column} column @param {boolean} picked */
  #place(part, { left, width, line, size }, picked) {
    const { label, radio } = this.parts[part.name];
    set(label, { style: `left: ${left}px; width: ${width}px; --down: ${LINE * line}px` });
    label.classList.toggle("picked", picked);
    label.lastChild?.replaceWith(make("span", {}, [size]));
    radio.checked = picked;
  }
}
