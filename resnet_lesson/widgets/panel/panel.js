// The training panel: a training's recording as pictures and words, whichever source it comes from.

import { make, passRunKey, say } from "../chart/elements.js";
import { listen, onResize } from "../chart/model.js";
import { whenReadable } from "../chart/readable.js";
import { Controls } from "./controls.js";
import { Loss } from "./loss.js";
import { Maps } from "./maps.js";
import { Training } from "./recording.js";
import { Replay } from "./replay.js";
import { isFrame, RULES } from "./rules.js";
import { KernelSource, RecordedSource } from "./sources.js";
import { describe, hint, note, question, sentence, stepWords } from "./words.js";

/** @typedef {import("./sources.js").Model} Model */
/** @typedef {import("./recording.js").Shown} Shown */
/** @typedef {Partial<{quantity: import("./recording.js").Measure, zoom: boolean}>} Choice */

const NARROW = 200; // pixels, in which no picture has room
const WORDS = 1000; // ms between two changes of words, at least: nobody reads or hears ten

class Panel {
  maps = new Maps();
  loss = new Loss();
  title = make("p", { class: "title" });
  hint = make("p", { class: "hint" });
  seen = make("b");
  more = make("span");
  alert = make("p", { class: "refusal", role: "alert" });
  status = make("p", { class: "note", role: "status" });
  begun = Infinity; // when the training did, by the page's clock
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
    const is = isFrame(model.get("scale"));
    this.kernel = new KernelSource(model, is, (before) => this.changed(before), take);
    this.sources = [new RecordedSource(model, take), this.kernel];
    this.controls = new Controls(model.get("scale").opening, this.acts());
    this.replay = new Replay(() => this.show());
    this.root = make("div", { class: "resnet-panel" }, [
      this.title,
      this.hint,
      this.maps.grid,
      this.maps.key,
      make("div", {}, [this.loss.svg]),
      make("div", { class: "words" }, [
        make("p", { class: "said" }, [this.seen, " ", this.more]),
        this.alert,
      ]),
      this.controls.element,
      this.status,
    ]);
    el.replaceChildren(this.root);
    this.endings = [
      listen(model, {
        "change:quantity": () => this.choose({ quantity: model.get("quantity") }),
        "change:zoom": () => this.choose({ zoom: model.get("zoom") }),
      }),
      onResize(this.root, 0, () => this.show()),
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
      play: () => this.replay.turn(this.training.span(this.zoom).last),
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

  // -------------------------------------------------------------- what comes

  /** The kernel has said how its training stands. @param {import("./words.js").Said} before */
  changed(before) {
    const { said, live } = this.kernel;
    if (said.training !== before.training) {
      this.training.clear();
      this.begun = Infinity;
    }
    // Of all that it says, what came fastest is nearest.
    const begun = performance.now() - 1000 * (said.seconds ?? -Infinity);
    this.begun = Math.min(this.begun, begun);
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
    const { shown, last, extent } = this.training.span(this.zoom, this.kernel.live);
    const step = Math.max(Math.min(1, last), Math.min(last, Math.round(this.replay.at ?? last)));
    this.showControls(shown, step, last);
    const names = this.names();
    if (this.root.clientWidth > NARROW && names.length) {
      this.maps.draw(names, shown, this.quantity, { extent, step, last });
      this.loss.draw(names, shown, { extent, step, last });
    }
    this.sayLater(shown, step);
  }

  /** All networks, also those that have not taken a step. */
  names() {
    const networks = this.model.get("networks");
    return networks.length ? networks : this.training.runs.map(({ facts }) => facts.name);
  }

  /** Seconds since the start, while a network has not taken a step; else null. */
  get building() {
    const built = this.training.runs.length === this.names().length;
    return this.kernel.live && !built ? (performance.now() - this.begun) / 1000 : null;
  }

  get mode() {
    if (this.kernel.live) return "live";
    return this.training.runs.length ? "replay" : "start";
  }

  /** @param {Shown[]} shown @param {number} step @param {number} last */
  showControls(shown, step, last) {
    const { here, said } = this.kernel;
    const { mode } = this;
    const obeys = here && this.model.get("networks").length > 0;
    this.controls.show({ mode, obeys, state: said.state, playing: this.replay.playing });
    const totals = this.training.runs.map(({ facts }) => facts.total ?? Infinity);
    const most = Math.max(...totals);
    const planned = Number.isFinite(most) ? most : null;
    const size = Math.max(1, ...shown.map(({ run, strip }) => run.width(strip)));
    const words = stepWords(said, { step, last, planned }, this.building);
    this.controls.showSteps({ step, last, size, planned, words });
    this.controls.showView(this.quantity, this.zoom);
  }

  // -------------------------------------------------------------- words

  /** @param {Shown[]} shown @param {number} step */
  sayLater(shown, step) {
    const wait = this.wordsSaid + WORDS - performance.now();
    clearTimeout(this.wordsDue);
    if (wait > 0) {
      this.wordsDue = setTimeout(() => this.show(), wait);
      return;
    }
    this.wordsSaid = performance.now();
    const { quantity, kernel, building } = this;
    if (building !== null) this.wordsDue = setTimeout(() => this.show(), WORDS); // to count them
    say(this.title, question(quantity));
    say(this.hint, hint(this.controls.state, building !== null, this.names().length));
    say(this.status, note(kernel, building !== null, this.training.span(false).last));
    say(this.alert, kernel.said.error);
    const { seen, more } = shown.length ? sentence(shown, step, quantity) : { seen: "", more: "" };
    say(this.seen, seen);
    say(this.more, more);
    this.names().forEach((name, at) => {
      const one = shown.find(({ run }) => run.facts.name === name);
      this.maps.say(at, one ? describe(one, step, quantity) : `${name}: no step yet`);
    });
    this.loss.say(shown, step);
  }
}

/** @param {{model: Model, el: HTMLElement}} place */
function render({ model, el }) {
  passRunKey(el);
  return whenReadable(model, el, RULES, (shown) => {
    const panel = new Panel(shown, el);
    return () => panel.forget();
  });
}

export default { render };
