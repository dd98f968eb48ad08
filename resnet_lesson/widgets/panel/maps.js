// Heat maps of the runs, a figure each, and the scale of their colours.

import { drawLayers, drawSteps, frameOf } from "../chart/axes.js";
import { make, set } from "../chart/elements.js";
import { domainOf, drawScale, paint } from "../chart/heatmap.js";
import { short } from "../chart/words.js";
import { fitColumns } from "./layout.js";
import { TITLES } from "./recording.js";

/** @typedef {import("./recording.js").Measure} Measure */
/** @typedef {import("./recording.js").Shown & {columns: number}} Seen so many columns of a strip */
/** @typedef {import("../chart/colour.js").Decades} Decades */

const HEIGHT = 236;
const MARGINS = { left: 34, right: 16, top: 8, bottom: 36 };
const LEAST = 270; // pixels of a figure's width, where two stand side by side

/** The columns that are seen. @param {Seen} seen @param {Measure} measure */
const columnsOf = ({ strip, columns }, measure) =>
  Array.from({ length: columns }, (_, column) => strip.column(column, measure));

class HeatMap {
  name = make("strong");
  title = make("span");
  svg = make("svg", { "aria-hidden": "true" });
  canvas = make("canvas", { role: "img" });
  figure = make("figure", {}, [
    make("figcaption", {}, [this.name, " ", this.title]),
    make("div", { class: "map" }, [this.svg, this.canvas]),
  ]);

  /**
   * @param {Seen} seen
   * @param {Decades[][]} columns
   * @param {import("../chart/scale.js").Ends} ends of the colours
   * @param {{width: number, extent: number, title: string}} options
   */
  draw({ run, strip }, columns, ends, { width, extent, title }) {
    const frame = frameOf({ width, height: HEIGHT }, MARGINS, [0, extent], [0, 1]);
    this.name.textContent = run.facts.name;
    this.title.textContent = `${title.toLowerCase()} by layer, input on top`;
    set(this.svg, { viewBox: `0 0 ${width} ${HEIGHT}`, height: HEIGHT });
    const { left: x, top: y } = frame;
    const room = { x, y, width: frame.right - x, height: frame.bottom - y };
    this.svg.replaceChildren(
      make("rect", { class: "room", ...room }),
      ...drawSteps(frame),
      ...drawLayers(frame, run.facts.layers.length),
    );
    paint(this.canvas, columns, ends, frame, columns.length * run.width(strip));
  }
}

export class Maps {
  /** @type {HeatMap[]} */
  #maps = [];
  grid = make("div", { class: "grid" });
  colours = make("svg", { role: "img" });

  /**
   * @param {Seen[]} all
   * @param {Measure} measure
   * @param {number} extent in steps
   * @param {number} width
   */
  draw(all, measure, extent, width) {
    const columns = all.map((seen) => columnsOf(seen, measure));
    const domain = domainOf(columns.flat(2));
    const title = TITLES[measure];
    const options = { width: fitColumns(this.grid, width, all.length, LEAST), extent, title };
    this.#fit(all.length);
    all.forEach((seen, at) => {
      this.#maps[at].draw(seen, columns[at], domain.ends, options);
    });
    this.#drawColours(domain, title, width);
  }

  /** As many figures as runs. @param {number} count */
  #fit(count) {
    while (this.#maps.length > count) this.#maps.pop()?.figure.remove();
    while (this.#maps.length < count) {
      const map = new HeatMap();
      this.#maps.push(map);
      this.grid.append(map.figure);
    }
  }

  /**
   * @param {import("../chart/heatmap.js").Domain} domain
   * @param {string} title
   * @param {number} width
   */
  #drawColours(domain, title, width) {
    const { height, drawn } = drawScale(width, domain);
    const [dark, bright] = domain.ends.map(short);
    set(this.colours, {
      viewBox: `0 0 ${width} ${height}`,
      height,
      "aria-label": `${title} in colours, dark ${dark} to bright ${bright}`,
    });
    this.colours.replaceChildren(...drawn);
  }

  /** @param {number} at which map @param {string} words */
  say(at, words) {
    set(this.#maps[at].canvas, { "aria-label": words });
  }
}
