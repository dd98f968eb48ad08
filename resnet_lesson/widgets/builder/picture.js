// The network's feature maps to scale; each part is a radio button of the picture.

import { sum } from "../chart/data.js";
import { KEYS, make, set, unique } from "../chart/elements.js";
import { partName, sizeOf } from "./words.js";

/** @typedef {import("./words.js").Maps} Maps */
/**
 * @typedef {{left: number, width: number, row: number}} Column where a part stands, and the row of
 *   its name
 */

const HEIGHT = 136; // of the highest map
const LEAST = 4; // pixels of a box, its edge among them
const MOST = 0.5; // pixels a channel
const GAPS = { least: 6, most: 40 };
// From column to column, where names lie in rows and reach over their neighbours.
const PITCH = { most: 32, last: 44 };

/** Boxes that a part is drawn as. @param {Maps} part */
const count = (part) => Math.max(1, part.modules);

/** About as wide as text of 12 pixels is. @param {string} text */
const textWidth = (text) => 7 * text.length + 2;

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
  const whole = maps.map((part) =>
    Math.max(textWidth(partName(part.name)), textWidth(sizeOf(part))),
  );
  // Names in rows, without the sizes, where those would leave too little for the boxes.
  const narrow = sum(whole) > 0.7 * width;
  const pitch = Math.min(PITCH.most, (width - PITCH.last) / gaps);
  const tight = maps.map((_, at) => (at < gaps ? pitch - GAPS.least : PITCH.last));
  const rows = narrow && pitch < PITCH.most ? 3 : 2;
  const least = narrow ? tight : whole;
  const scale = scaleOf(maps, least, width - GAPS.least * gaps);
  const widths = maps.map((part, at) => Math.max(least[at], boxesWidth(part, scale)));
  const gap = Math.min(GAPS.most, Math.max(GAPS.least, (width - sum(widths)) / gaps));
  let next = 0;
  const columns = widths.map((one, at) => {
    const left = next;
    next += one + gap;
    return { left, width: one, row: narrow ? at % rows : 0 };
  });
  return { columns, scale, narrow, rows };
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
    const { columns, scale, narrow, rows } = columnsOf(maps, width);
    const down = HEIGHT / Math.max(...maps.map((part) => part.height));
    this.element.classList.toggle("narrow", narrow);
    set(this.element, { style: `--rows: ${rows}` });
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
  #place(part, { left, width, row }, picked) {
    const { label, radio } = this.parts[part.name];
    set(label, { style: `left: ${left}px; width: ${width}px; --row: ${row}` });
    label.classList.toggle("picked", picked);
    label.lastChild?.replaceWith(make("span", {}, [sizeOf(part)]));
    radio.checked = picked;
  }
}
