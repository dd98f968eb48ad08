// The training panel: a training's recording as pictures and words, whichever source it comes from.

import { make, say } from "../chart/elements.js";
import { listen, onResize } from "../chart/model.js";
import { Controls } from "./controls.js";
import { Curves } from "./curves.js";
import { Maps } from "./maps.js";
import { Names } from "./names.js";
import { Training } from "./recording.js";
import { Replay } from "./replay.js";
import { KernelSource, RecordedSource } from "./sources.js";
import { absence, describe, stateWords } from "./words.js";

/** @typedef {import("./sources.js").Model} Model */
/** @typedef {import("./maps.js").Seen} Seen */
/** @typedef {Partial<{quantity: import("./recording.js").Measure, zoom: boolean}>} Choice */

const WORDS = 1000; // ms between two changes of words, at least: nobody reads or hears ten

class Panel {
  width = 640;
  maps = new Maps();
  curves = new Curves();
  names = new Names();
  alert = make("p", { class: "refusal", role: "alert" });
  status = make("p", { role: "status", "aria-live": "polite" });
  wordsSaid = -Infinity;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  wordsDue;
  drawing = 0;

  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.quantity = model.get("quantity");
    this.zoom = model.get("zoom");
    this.training = new Training(model.get("scale"));
    const take = (/** @type {import("./recording.js").Part[]} */ parts) => this.take(parts);
    this.kernel = new KernelSource(model, (before) => this.changed(before), take);
    this.sources = [new RecordedSource(model, take), this.kernel];
    this.controls = new Controls(model.get("scale").opening, this.acts());
    this.replay = new Replay((playing) => {
      this.controls.showPlaying(playing);
      this.show();
    });
    const { maps, curves, names, controls } = this;
    this.pictures = make("div", {}, [maps.grid, maps.colours, names.list, curves.grid]);
    const root = make("div", { class: "resnet-panel" }, [
      controls.training,
      controls.replay,
      controls.view,
      this.alert,
      this.status,
      this.pictures,
    ]);
    el.replaceChildren(root);
    this.endings = [
      listen(model, {
        "change:quantity": () => this.choose({ quantity: model.get("quantity") }),
        "change:zoom": () => this.choose({ zoom: model.get("zoom") }),
      }),
      onResize(root, this.width, (width) => this.resize(width)),
    ];
    for (const source of this.sources) source.start();
  }

  /** @returns {import("./controls.js").Acts} */
  acts() {
    return {
      wish: (what) => {
        this.replay.halt();
        this.kernel.wish(what);
      },
      play: () => this.replay.turn(this.training.span(this.zoom)),
      moveTo: (step) => {
        this.replay.moveTo(step);
        this.sayAtOnce();
      },
      measure: (quantity) => this.choose({ quantity }),
      zoom: (zoom) => this.choose({ zoom }),
    };
  }

  forget() {
    this.replay.halt();
    for (const source of this.sources) source.stop();
    for (const end of this.endings) end();
    clearTimeout(this.wordsDue);
    cancelAnimationFrame(this.drawing);
  }

  /** @param {number} width */
  resize(width) {
    this.width = Math.max(200, width);
    this.show();
  }

  // -------------------------------------------------------------- what comes

  /** The kernel has said how its training stands. @param {import("./words.js").Said} before */
  changed(before) {
    const { said, live } = this.kernel;
    if (said.training !== before.training) this.training.clear();
    if (live || said.training !== before.training) this.replay.moveTo(null);
    if (said.state !== before.state) this.wordsSaid = -Infinity;
  }

  /** @param {import("./recording.js").Part[]} parts */
  take(parts) {
    this.training.take(parts);
    this.show();
  }

  /** @param {Choice} choice */
  choose(choice) {
    if ("zoom" in choice) this.replay.moveTo(null);
    else this.replay.halt();
    Object.assign(this, choice);
    this.sayAtOnce();
  }

  sayAtOnce() {
    this.wordsSaid = -Infinity;
    this.show();
  }

  // -------------------------------------------------------------- what is seen

  show() {
    cancelAnimationFrame(this.drawing);
    this.drawing = requestAnimationFrame(() => this.draw());
  }

  draw() {
    const { shown, step, last, extent } = this.training.span(this.zoom);
    const at = Math.min(this.replay.at ?? last, last);
    const all = shown.map((one) => ({ ...one, columns: one.run.columnOf(one.strip, at) + 1 }));
    this.showControls(shown.length > 0, at, { last, step });
    this.pictures.hidden = all.length === 0;
    if (all.length) {
      this.maps.draw(all, this.quantity, extent, this.width);
      this.curves.draw(all, extent, this.width);
      this.names.show(all.map(({ run }) => run.facts.name));
    }
    this.sayLater(all, at);
  }

  /** @param {boolean} shown @param {number} at @param {{last: number, step: number}} span */
  showControls(shown, at, span) {
    const { here: kernel, live, said } = this.kernel;
    const trains = this.model.get("trains");
    this.controls.showState({ trains, live, kernel, state: said.state }, shown);
    this.controls.showProgress(this.training.runs);
    this.controls.showStep(at, span);
    this.controls.measure.value = this.quantity;
    this.controls.zoom.checked = this.zoom;
  }

  // -------------------------------------------------------------- words

  /** @param {Seen[]} all @param {number} at */
  sayLater(all, at) {
    const wait = this.wordsSaid + WORDS - performance.now();
    clearTimeout(this.wordsDue);
    if (wait > 0) {
      this.wordsDue = setTimeout(() => this.show(), wait);
      return;
    }
    this.wordsSaid = performance.now();
    say(this.status, this.statusWords(all.length > 0));
    say(this.alert, this.kernel.said.error);
    all.forEach((seen, which) => {
      const { run, strip, columns } = seen;
      const said = describe(seen, at, this.quantity);
      const end = Math.min(run.facts.steps, columns * run.width(strip));
      this.names.say(which, said);
      this.maps.say(which, `${run.facts.name}, ${end} steps: ${said}`);
    });
    this.curves.say(all);
  }

  /** @param {boolean} shown */
  statusWords(shown) {
    const { here, lost, said } = this.kernel;
    return here ? stateWords(said, this.training.runs, shown) : absence(lost, shown);
  }
}

/** @param {{model: Model, el: HTMLElement}} place */
function render({ model, el }) {
  const panel = new Panel(model, el);
  return () => panel.forget();
}

export default { render };
