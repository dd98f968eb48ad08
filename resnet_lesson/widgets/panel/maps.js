// Heat maps of the runs, a figure each, on one scale of colours with one key.

import { frameOf, line, words } from "../chart/axes.js";
import { KEYS, make, say, set } from "../chart/elements.js";
import { domainOf, drawKey, KEY_HEIGHT, paint } from "../chart/heatmap.js";
import { power } from "../chart/words.js";
import { looks } from "./names.js";
import { TITLES } from "./recording.js";
import { layerAt, placeOf, rowsOf, stagesOf } from "./rows.js";
import { drawPlayhead, drawSteps } from "./steps.js";
import { cellWords } from "./words.js";

/** @typedef {import("./recording.js").Measure} Measure */
/** @typedef {import("./recording.js").Shown} Shown */
/** @typedef {import("./rows.js").Stage} Stage */
/** @typedef {import("../chart/axes.js").Frame} Frame */
/** @typedef {import("../chart/heatmap.js").Domain} Domain */
/**
 * What all maps have in common.
 *
 * @typedef {object} Common
 * @property {Measure} measure
 * @property {import("./steps.js").View} view
 * @property {Stage[]} stages
 * @property {Domain} domain
 */

const HEIGHT = 244;
const MARGINS = { left: 60, right: 4, top: 4, bottom: 24 };
const TIP = 6; // pixels between a cell and what is said of it
const APART = 16; // pixels between two words down the side
/** @type {Record<string, [column: number, row: number]>} */
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };

class HeatMap {
  name = make("strong");
  layer = make("b");
  value = make("span");
  tip = make("output", { class: "tip" }, [this.layer, " ", this.value]);
  svg = make("svg", { "aria-hidden": "true" });
  canvas = make("canvas", { "aria-hidden": "true" });
  holder = make("div", { class: "map", role: "img", tabindex: 0, ...KEYS }, [
    this.canvas,
    this.svg,
    this.tip,
  ]);
  figure = make("figure", {}, [make("figcaption", {}, [this.name]), this.holder]);
  pointed = make("rect", { class: "pointed" });
  /** @type {{column: number, layer: number} | null} */
  at = null;

  /** @param {number} which network */
  constructor(which) {
    this.which = which;
    this.holder.addEventListener("pointermove", (event) => this.#point(event));
    this.holder.addEventListener("pointerdown", (event) => this.#point(event));
    this.holder.addEventListener("keydown", (event) => this.#move(event));
    for (const event of ["pointerleave", "blur"]) {
      this.holder.addEventListener(event, () => this.#mark(null));
    }
  }

  /**
   * @param {string} name
   * @param {string} look
   * @param {Shown | undefined} shown nothing before the first step
   * @param {Common} common
   */
  draw(name, look, shown, common) {
    this.figure.setAttribute("class", look);
    say(this.name, name);
    this.shown = shown;
    this.common = common;
    const size = { width: this.figure.clientWidth, height: HEIGHT };
    const rows = rowsOf(common.stages) || 1;
    this.frame = frameOf(size, MARGINS, [0, common.view.extent], [rows, 0]);
    set(this.svg, { viewBox: `0 0 ${size.width} ${HEIGHT}`, height: HEIGHT });
    this.svg.replaceChildren(
      ...drawStages(this.frame, common.stages),
      ...(common.view.last ? drawSteps(this.frame) : []),
      ...(shown ? drawPlayhead(this.frame, common.view) : []),
      this.pointed,
    );
    this.#paint(this.frame, common);
    this.#mark(this.at);
  }

  /** @param {Frame} frame @param {Common} common */
  #paint(frame, { measure, stages, domain }) {
    const { run, strip } = this.shown ?? {};
    const columns = Array.from({ length: strip?.columns ?? 0 }, (_, column) =>
      /** @type {import("./recording.js").Strip} */ (strip).column(column, measure),
    );
    const bands = stages.map(({ top, rows, layers }) => {
      return { ...layers[this.which], top, bottom: top + rows };
    });
    const to = run && strip ? columns.length * run.width(strip) : 0;
    paint(this.canvas, columns, domain.ends, frame, { to, bands });
  }

  /** The cell under the pointer. @param {PointerEvent} event */
  #point({ clientX, clientY }) {
    if (!this.shown || !this.frame || !this.common) return;
    const { run, strip } = this.shown;
    const box = this.svg.getBoundingClientRect();
    const [x, y] = [clientX - box.left, clientY - box.top];
    const { left, right, top, bottom, across } = this.frame;
    const step = ((x - left) / (right - left)) * across[1];
    const column = Math.floor(step / run.width(strip));
    const inside = x >= left && y >= top && y < bottom && column < strip.columns;
    const height = this.frame.valueAt(y);
    const { stages } = this.common;
    this.#mark(inside ? { column, layer: layerAt(stages, this.which, height) } : null);
  }

  /** The cell beside the last one. @param {KeyboardEvent} event */
  #move(event) {
    const move = MOVES[event.key];
    if (!move || !this.shown || !this.common) return;
    event.preventDefault();
    const { run, strip } = this.shown;
    const at = this.at ?? { column: run.columnOf(strip, this.common.view.step), layer: 0 };
    const [column, layer] = this.at ? move : [0, 0];
    this.#mark({
      column: Math.max(0, Math.min(strip.columns - 1, at.column + column)),
      layer: Math.max(0, Math.min(run.facts.layers.length - 1, at.layer + layer)),
    });
  }

  /** Say a cell beside it, and draw its edge. @param {HeatMap["at"]} at */
  #mark(at) {
    const { shown, frame, common } = this;
    this.at = shown ? at : null;
    this.tip.hidden = this.at === null;
    this.pointed.toggleAttribute("hidden", this.at === null);
    if (!this.at || !shown || !frame || !common) return;
    const { column, layer } = this.at;
    const width = shown.run.width(shown.strip);
    const place = placeOf(common.stages, this.which, layer);
    const [x, y] = [frame.x(column * width), frame.y(place.top)];
    const [right, bottom] = [frame.x((column + 1) * width), frame.y(place.bottom)];
    set(this.pointed, { x, y, width: Math.min(frame.right, right) - x, height: bottom - y });
    const [name, value] = cellWords(shown, column, layer, common.measure);
    say(this.layer, name);
    say(this.value, value);
    const above = y - this.tip.offsetHeight - TIP;
    const most = frame.right - this.tip.offsetWidth;
    this.tip.style.left = `${Math.max(0, Math.min(most, x - this.tip.offsetWidth / 2))}px`;
    this.tip.style.top = `${above < 0 ? bottom + TIP : above}px`;
  }
}

/** Stages down the side, between input and loss. @param {Frame} frame @param {Stage[]} stages */
function drawStages({ left, top, bottom, y }, stages) {
  const first = top + 11;
  const last = bottom - 2;
  const side = (/** @type {number} */ at, /** @type {string} */ text) =>
    words(left - 8, at, text, "end");
  let before = first;
  const inner = stages.flatMap(({ name, top: from, rows }) => {
    const middle = y(from + rows / 2) + 4.5;
    if (!name || middle - before < APART || last - middle < APART) return [];
    before = middle;
    return [side(middle, name)];
  });
  const edges = stages.slice(1).map(({ top: from }) => line(left - 5, y(from), left, y(from)));
  return [side(first, "input"), ...inner, side(last, "loss"), ...edges];
}

export class Maps {
  /** @type {HeatMap[]} */
  #maps = [];
  grid = make("div", { class: "grid" });
  key = make("svg", { class: "key", role: "img" });

  /**
   * @param {string[]} names of the networks, also of those that have not begun
   * @param {Shown[]} all that have
   * @param {Measure} measure
   * @param {import("./steps.js").View} view
   */
  draw(names, all, measure, view) {
    const shown = names.map((name) => all.find(({ run }) => run.facts.name === name));
    // One that has not begun is taken to be built like the other.
    const layers = shown.map((one) => (one ?? all[0])?.run.facts.layers ?? []);
    const stages = stagesOf(layers);
    const domain = domainOf(all.flatMap(({ strip }) => valuesOf(strip, measure)));
    this.#fit(names.length);
    names.forEach((name, at) => {
      const common = { measure, view, stages, domain };
      this.#maps[at].draw(name, looks(names)[at], shown[at], common);
    });
    this.#drawKey(all.length ? domain : null, TITLES[measure]);
  }

  /** As many figures as networks. @param {number} count */
  #fit(count) {
    while (this.#maps.length > count) this.#maps.pop()?.figure.remove();
    while (this.#maps.length < count) {
      const map = new HeatMap(this.#maps.length);
      this.#maps.push(map);
      this.grid.append(map.figure);
    }
    this.grid.classList.toggle("single", count === 1);
  }

  /** @param {Domain | null} domain null before the first step @param {string} what */
  #drawKey(domain, what) {
    const width = this.grid.clientWidth;
    set(this.key, { viewBox: `0 0 ${width} ${KEY_HEIGHT}`, height: KEY_HEIGHT });
    const [low, high] = domain?.ends.map(power) ?? [];
    set(this.key, { "aria-label": domain ? `Colours: dark ${low}, bright ${high}` : "Colours" });
    this.key.replaceChildren(...(domain ? drawKey(width, domain, what) : []));
  }

  /** @param {number} at which map @param {string} words */
  say(at, words) {
    // Where there is no room, there is none.
    const map = this.#maps[at];
    if (map) set(map.holder, { "aria-label": words });
  }
}

/**
 * All that a strip holds.
 *
 * @param {import("./recording.js").Strip} strip
 * @param {Measure} measure
 */
const valuesOf = (strip, measure) =>
  Array.from({ length: strip.columns }, (_, column) => strip.column(column, measure)).flat();
