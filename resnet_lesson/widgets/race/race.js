// The race: a plain and a residual network learn the digits in the page, side by side.

import { drawMarks, frameOf, line, words } from "../chart/axes.js";
import { linePath } from "../chart/curve.js";
import { button, KEYS, labelled, make, passRunKey, say, set } from "../chart/elements.js";
import { domainOf, drawKey, KEY_HEIGHT, paint } from "../chart/heatmap.js";
import { onResize } from "../chart/model.js";
import { whenReadable } from "../chart/readable.js";
import { STEPS } from "../engine/loop.js";
import { MOST } from "../engine/race.js";
import { Runner } from "../engine/runner.js";
import { RULES } from "./rules.js";
import { averaged, finished, RATES, running } from "./words.js";

/** @typedef {import("../engine/loop.js").Report} Report */
/** @typedef {{depth: number, rate: number, warmup: number, seed: number}} Traits */
/** @typedef {import("../chart/model.js").Model<Traits>} Model */
/** @typedef {{wrong: number[], norms: import("../chart/colour.js").Decades[][]}} Run */

const KINDS = /** @type {const} */ (["plain", "residual"]);
const HEIGHTS = { errors: 220, map: 150 };
const MARGINS = { left: 44, right: 74, top: 28, bottom: 26 };
const LABELS = {
  new: "Start",
  running: "Pause",
  paused: "Go on",
  stopped: "Start again",
  over: "Start again",
};
const GUESS = "Guess first: which of them will read its digits better after some seconds?";
const COLUMNS = 300; // of a heat map
const NARROW = 560; // pixels, below which the maps stand one below the other

class Race {
  /** @type {Record<"plain" | "residual", Run>} */
  runs = { plain: { wrong: [], norms: [] }, residual: { wrong: [], norms: [] } };
  /** @type {"new" | "running" | "paused" | "stopped" | "over"} */
  state = "new";
  /** How many races have been started. */
  run = 0;
  failed = "";
  /** @type {number | undefined} the next one, if something is to be drawn in it */
  frame;
  width = 640;
  main = button("Start", () => this.press(), "primary");
  halt = button("Stop", () => this.stop(), "quiet");
  again = button("Again with other weights", () => this.restart(), "quiet");
  depth = slider("Layers", [2, MOST, 1], (value) => `${value}`);
  rate = slider("Learning rate", [0, RATES.length - 1, 1], (at) => `${RATES[at]}`);
  warmup = slider("Warm-up", [0, 100, 10], (steps) => (steps ? `${steps} steps` : "none"));
  errors = make("svg", { role: "img" });
  maps = KINDS.map(mapOf);
  key = make("svg", { class: "key", height: KEY_HEIGHT, "aria-hidden": "true" });
  said = make("p", { class: "said" });
  live = make("p", { class: "said", role: "status" });

  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.runner = new Runner(
      (report) => this.take(report),
      (why) => this.fail(why),
    );
    el.replaceChildren(this.layout());
    this.show();
    this.ending = onResize(this.errors, this.width, (width) => {
      this.width = width;
      this.draw();
    });
    this.draw();
  }

  layout() {
    const sliders = [this.depth, this.rate, this.warmup];
    for (const { input } of sliders) input.addEventListener("input", () => this.change());
    return make("div", { class: "resnet-race" }, [
      make("p", { class: "title" }, ["Which network learns, the plain one or the residual one?"]),
      make("p", { class: "hint" }, [
        "Both learn to read 1,280 digits, here in your browser. They have the same starting " +
          "weights and the same batches, and only the residual one has shortcuts. In a warm-up, " +
          "the learning rate rises step by step.",
      ]),
      make("div", { class: "controls" }, [this.main, this.halt, this.again]),
      this.errors,
      this.said,
      this.live,
      make(
        "div",
        { class: "controls" },
        sliders.map(({ element }) => element),
      ),
      make(
        "div",
        { class: "grid" },
        this.maps.map(({ element }) => element),
      ),
      this.key,
    ]);
  }

  /** The sliders show the traits. */
  show() {
    this.depth.show(this.model.get("depth"));
    this.rate.show(RATES.indexOf(this.model.get("rate")));
    this.warmup.show(this.model.get("warmup"));
  }

  // -------------------------------------------------------------- what the reader does

  press() {
    if (this.state === "running") {
      this.state = "paused";
      this.runner.pause();
    } else if (this.state === "paused") {
      this.state = "running";
      this.runner.go();
    } else this.start();
    this.draw();
  }

  /** What was drawn stays; a new start begins from the first step. */
  stop() {
    this.state = "stopped";
    this.runner.pause();
    this.draw();
    this.main.focus(); // the button that was pressed is gone
  }

  restart() {
    this.model.set("seed", this.model.get("seed") + 1);
    this.start();
    this.draw();
  }

  change() {
    this.model.set("depth", this.depth.read());
    this.model.set("rate", RATES[this.rate.read()]);
    this.model.set("warmup", this.warmup.read());
    this.show();
    if (this.state !== "new") this.start();
    this.draw();
  }

  start() {
    for (const kind of KINDS) this.runs[kind] = { wrong: [], norms: [] };
    this.state = "running";
    this.run += 1;
    const [depth, rate] = [this.model.get("depth"), this.model.get("rate")];
    const [warmup, seed] = [this.model.get("warmup"), this.model.get("seed")];
    this.failed = "";
    this.runner.start({ run: this.run, depth, rate, warmup, seed });
  }

  /** @param {string} why */
  fail(why) {
    [this.state, this.failed] = ["new", `This page cannot compute: ${why}`];
    this.draw();
  }

  /** @param {Report} report */
  take(report) {
    if (report.run !== this.run) return; // of an earlier race
    for (const kind of KINDS) {
      const run = this.runs[kind];
      for (const { wrong, norms } of report[kind]) {
        run.wrong.push(wrong);
        run.norms.push(norms.map((norm) => (Number.isFinite(norm) ? Math.log10(norm) : null)));
      }
    }
    if (this.runs.plain.wrong.length >= STEPS) this.state = "over";
    this.drawSoon();
  }

  /** Once for all reports that come before the next frame. */
  drawSoon() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = undefined;
      this.draw();
    });
  }

  // -------------------------------------------------------------- what is seen

  draw() {
    const { state } = this;
    const depth = this.model.get("depth");
    say(this.main, LABELS[state]);
    this.halt.hidden = state !== "running" && state !== "paused";
    this.again.hidden = state === "new";
    const wrong = KINDS.map((kind) => averaged(this.runs[kind].wrong));
    const last = wrong.map((curve) => curve[curve.length - 1]);
    const steps = wrong[0].length;
    say(this.said, steps ? running(steps, last) : `Two networks of ${depth} layers.`);
    const asked = state === "new" ? GUESS : "";
    say(this.live, state === "over" ? finished(depth, last) : this.failed || asked);
    this.drawErrors(wrong);
    this.drawMaps(depth);
    set(this.errors, {
      "aria-label": steps ? running(steps, last) : "No step has been taken yet.",
    });
  }

  /** @param {number[][]} curves */
  drawErrors(curves) {
    const size = { width: this.width, height: HEIGHTS.errors };
    const frame = frameOf(size, MARGINS, [0, STEPS], [0, 1]);
    set(this.errors, { viewBox: `0 0 ${size.width} ${size.height}`, height: size.height });
    const marks = /** @type {import("../chart/scale.js").Mark[]} */ (
      [0, 0.25, 0.5, 0.75, 1].map((share) => [share, `${100 * share} %`])
    );
    const names = apart(curves.map((curve) => frame.y(curve.at(-1) ?? 0.9)));
    this.errors.replaceChildren(
      ...drawMarks(frame, marks),
      // On a phone, the last one would stand in the way of a third.
      ...[0, 200, 400]
        .slice(0, this.width < NARROW ? 2 : 3)
        .map((step) => words(frame.x(step), frame.bottom + 18, `${step}`)),
      words(frame.right, frame.bottom + 18, `${STEPS} steps`, "end"),
      words(0, 12, "training digits that are read wrongly", "start"),
      ...KINDS.map((kind, at) => {
        const curve = curves[at];
        const points = curve.map(
          (share, step) =>
            /** @type {import("../chart/curve.js").Point} */ ([frame.x(step), frame.y(share)]),
        );
        const name = words(frame.x(curve.length) + 6, names[at] + 4.5, kind, "start");
        set(name, { class: "name" });
        const path = make("path", { class: "curve", d: linePath(points) });
        return make("g", { class: kind }, curve.length ? [path, name] : []);
      }),
    );
  }

  /** @param {number} depth */
  drawMaps(depth) {
    const narrow = this.width < NARROW;
    const width = narrow ? this.width : (this.width - 24) / 2;
    const frame = frameOf(
      { width, height: HEIGHTS.map },
      { left: 44, right: 4, top: 4, bottom: 24 },
      [0, STEPS],
      [depth, 0],
    );
    const thin = KINDS.map((kind) => thinned(this.runs[kind].norms));
    const values = thin.flat(2);
    const domain = domainOf(values.length ? values : [-3, 0]);
    for (const [at, { canvas, svg }] of this.maps.entries()) {
      const steps = this.runs[KINDS[at]].norms.length;
      set(svg, { viewBox: `0 0 ${width} ${HEIGHTS.map}`, height: HEIGHTS.map });
      svg.replaceChildren(
        line(frame.left, frame.bottom, frame.right, frame.bottom, "tick"),
        words(frame.left - 6, frame.top + 12, "input", "end"),
        words(frame.left - 6, frame.bottom - 2, "loss", "end"),
        words(frame.right, frame.bottom + 18, `${STEPS} steps`, "end"),
      );
      const bands = [{ from: 0, count: depth, top: 0, bottom: depth }];
      paint(canvas, thin[at], domain.ends, frame, { to: steps, bands });
    }
    set(this.key, { viewBox: `0 0 ${this.width} ${KEY_HEIGHT}` });
    this.key.replaceChildren(...drawKey(this.width, domain, "gradient"));
  }

  forget() {
    this.ending();
    this.runner.stop();
    if (this.frame !== undefined) cancelAnimationFrame(this.frame);
  }
}

/** The heat map of a network, and its name above it. @param {string} kind */
function mapOf(kind) {
  const [canvas, svg] = [make("canvas"), make("svg", { "aria-hidden": "true" })];
  const name = make("figcaption", {}, [`${kind}: the gradient of each layer, step by step`]);
  const figure = make("div", { class: "map" }, [canvas, svg]);
  return { canvas, svg, element: make("figure", { class: kind }, [name, figure]) };
}

/**
 * At most COLUMNS of them, evenly spread: more are painted too slowly, and not seen.
 *
 * @template Column @param {Column[]} columns
 */
function thinned(columns) {
  const every = Math.ceil(columns.length / COLUMNS) || 1;
  return columns.filter((_, at) => at % every === 0);
}

/** Two heights, at least a line of words apart. @param {number[]} heights */
function apart([one, other]) {
  const missing = Math.max(0, 16 - Math.abs(one - other)) / 2;
  return one < other ? [one - missing, other + missing] : [one + missing, other - missing];
}

/**
 * @param {string} name @param {[min: number, max: number, step: number]} range
 * @param {(value: number) => string} text of a value
 */
function slider(name, [min, max, step], text) {
  const input = make("input", { type: "range", min, max, step, "aria-label": name, ...KEYS });
  const value = make("span", { "aria-hidden": "true" });
  return {
    input,
    element: labelled(name, input, value),
    read: () => input.valueAsNumber,
    /** @param {number} now */
    show: (now) => {
      input.value = `${now}`;
      set(input, { "aria-valuetext": text(now) });
      say(value, text(now));
    },
  };
}

/** @param {{model: Model, el: HTMLElement}} place */
function render({ model, el }) {
  passRunKey(el);
  return whenReadable(model, el, RULES, (shown) => {
    const race = new Race(shown, el);
    return () => race.forget();
  });
}

export default { render };
