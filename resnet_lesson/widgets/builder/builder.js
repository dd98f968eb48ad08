// The architecture builder: the model's traits are the arguments of `build`, and what is shown.

import { Copier } from "../chart/copy.js";
import { button, make, passRunKey, say, set, turnOff, unique } from "../chart/elements.js";
import { listen, onResize, put } from "../chart/model.js";
import { whenReadable } from "../chart/readable.js";
import { grouped } from "../chart/words.js";
import {
  buildCall,
  EXAMPLE,
  MOST,
  mostStages,
  NAMES,
  networkParts,
  Refused,
  viewCall,
} from "./arithmetic.js";
import { Chosen } from "./chosen.js";
import { limited, numberField } from "./fields.js";
import { Fold } from "./fold.js";
import { Picture } from "./picture.js";
import { RULES } from "./rules.js";
import { Shares } from "./shares.js";
import { Table } from "./table.js";
import { ownerOf, refusal, roleOf, stageOf, stagesUsedUp, summary } from "./words.js";

/** @typedef {import("./arithmetic.js").Network} Network */
/** @typedef {Network & {picked: string, hide: string[]}} Traits */
/** @typedef {import("../chart/model.js").Model<Traits>} Model */

const MORE = "press + beside “Modules” and watch where the parameters go; then ";
const TOO_MANY = `No number of filters can be above ${grouped(MOST)}.`;

/** Off where there is a reason, which is said. @param {Element} element @param {string} why */
function turnOffSaying(element, why) {
  turnOff(element, why !== "");
  set(element, { title: why });
}

class Builder {
  width = 912;
  copier = new Copier();
  hint = make("p", { class: "hint" });
  picture = new Picture((part) => this.pick(part));
  chosen = new Chosen();
  shares = new Shares();
  table = new Table();
  summary = make("p", { class: "heard", role: "status", "aria-live": "polite" });
  /** What the part does or, once there are all the stages that there can be, why. */
  note = make("p", { id: unique("note") });
  refusal = make("p", { class: "refusal", role: "alert", id: unique("refusal") });
  words = make("div", { class: "why" }, [this.note, this.refusal]);
  code = make("code");
  /** The last network that could be built; before there is one, the article's. */
  valid = EXAMPLE;
  /** The value that is wrong, by its name in Python: filters[2]. */
  wrong = "";
  due = false;

  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.fold = new Fold(
      (trait, word) => this.single(trait, word),
      (order) => this.change({ order }),
    );
    this.add = button("Add a stage", () => this.addStage(), "quiet");
    this.remove = button("Remove the last stage", () => this.removeStage(), "quiet");
    this.double = button("Double all filters", () => this.doubleFilters(), "quiet");
    this.example = button("The article's example", () => this.change(this.fromExample()), "quiet");
    this.copy = button("Copy", () => this.copier.copy(buildCall(this.valid)), "quiet");
    this.copyView = button("Copy this view", () => this.copier.copy(this.view()), "quiet");
    this.acts = make("div", { class: "controls acts" }, [
      ...[this.add, this.remove, this.double, this.example],
    ]);
    this.sums = make("div", {}, [this.shares.element, this.summary, this.table.element]);
    const root = this.layout();
    el.replaceChildren(root);
    const changes = [...NAMES, "picked", "hide"].map((trait) => `change:${trait}`);
    this.endings = [
      listen(model, Object.fromEntries(changes.map((change) => [change, () => this.showSoon()]))),
      onResize(root, 0, (width) => {
        this.width = width;
        this.draw();
      }),
    ];
    this.show();
  }

  forget() {
    for (const end of this.endings) end();
  }

  /** @returns {Network} */
  network() {
    return /** @type {Network} */ (
      Object.fromEntries(NAMES.map((trait) => [trait, this.model.get(trait)]))
    );
  }

  /** The part that is picked, the last stage if it has gone. */
  picked() {
    const [picked, stages] = [this.model.get("picked"), this.model.get("stages").length];
    if (stageOf(picked) <= stages) return picked;
    return stages ? `stage${stages}` : "stem";
  }

  /** @param {Partial<Traits>} traits */
  change(traits) {
    put(this.model, traits);
    this.model.save_changes();
  }

  // -------------------------------------------------------------- elements

  /** A field for one number. @param {import("./fold.js").Single} trait @param {string} word */
  single(trait, word) {
    const read = () => this.model.get(trait);
    return numberField(word, word, { read, write: (value) => this.change({ [trait]: value }) });
  }

  /** A field for one number of a list. @type {import("./chosen.js").MakeField} */
  item(word, name, list, at) {
    const held = () => this.model.get(list);
    // A cell may have set fewer numbers than there are stages: the others are then missing.
    const write = (/** @type {number | null} */ value) => {
      const values = [...held(), ...Array(Math.max(0, at + 1 - held().length)).fill(null)];
      this.change({ [list]: values.with(at, value) });
    };
    const steps = list === "stages" ? {} : { step: at > 0 ? 4 : 1, stride: 16 };
    return numberField(word, name, { read: () => held()[at], write }, steps);
  }

  layout() {
    return make("div", { class: "resnet-builder" }, [
      make("p", { class: "title" }, ["Build a residual network"]),
      this.hint,
      this.picture.element,
      this.acts,
      make("div", { class: "columns" }, [
        make("div", {}, [this.chosen.element, this.words]),
        this.sums,
      ]),
      this.fold.element, // above the call, which may grow by a line while one types
      make("div", { class: "foot" }, [
        make("div", {}, [this.code, " ", this.copy]),
        this.copyView,
        this.copier.element,
      ]),
    ]);
  }

  // -------------------------------------------------------------- what is seen

  /** Once for traits that change together: between them, no network may be possible. */
  showSoon() {
    if (!this.due) queueMicrotask(() => this.show());
    this.due = true;
  }

  show() {
    this.due = false;
    const network = this.network();
    this.refresh(network);
    this.copier.forget();
    try {
      networkParts(network);
      this.valid = network;
      this.blame("", "");
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.blame(error.values.what ?? "", refusal(error));
    }
    this.draw();
  }

  /** The controls show the traits. @param {Network} network */
  refresh(network) {
    const [stages, hidden] = [network.stages.length, this.model.get("hide")];
    this.chosen.show(this.picked(), hidden, (...of) => this.item(...of));
    this.fold.show(network.order, hidden);
    for (const { refresh } of Object.values(this.fields())) refresh();
    this.add.hidden = this.remove.hidden = hidden.includes("stages");
    this.double.hidden = hidden.includes("filters");
    this.example.hidden = Object.keys(this.fromExample()).length === 0;
    this.acts.hidden = [...this.acts.children].every((act) => act.hasAttribute("hidden"));
    say(this.hint, `Try first: ${this.add.hidden ? "" : MORE}pick another part of the picture.`);
    const most = mostStages(network);
    const full = most > 0 && stages >= most;
    say(this.note, full ? stagesUsedUp(network, most) : roleOf(this.picked()));
    set(this.add, { "aria-describedby": full ? this.note.id : "" });
    turnOff(this.add, full);
    turnOff(this.remove, stages < 2);
    const largest = Math.max(...network.filters.map((one) => Math.abs(Number(one))));
    turnOffSaying(this.double, 2 * largest > MOST ? TOO_MANY : "");
  }

  fields() {
    return { ...this.fold.fields, ...this.chosen.fields };
  }

  /**
   * Mark the value that is wrong, and say why beside it; for none, empty words.
   *
   * @param {string} what by its name in Python
   * @param {string} why
   */
  blame(what, why) {
    const [refused, moved] = [why !== "", what !== this.wrong];
    this.wrong = what;
    if (refused && moved) this.reveal(what);
    const folded = what in this.fold.fields && !this.model.get("hide").includes(what);
    const home = folded ? this.fold.words : this.words;
    if (this.refusal.parentElement !== home) home.append(this.refusal);
    say(this.refusal, why);
    this.note.hidden = refused && home === this.words;
    for (const [name, { mark }] of Object.entries(this.fields())) {
      mark(name === what, this.refusal.id);
    }
    for (const copy of [this.copy, this.copyView]) turnOffSaying(copy, why);
    for (const element of [this.picture.element, this.sums, this.code]) {
      element.classList.toggle("old", refused);
    }
  }

  /** Bring the field of a value into sight. @param {string} what */
  reveal(what) {
    if (what in this.fold.fields) this.fold.element.open = true;
    else if (ownerOf(what)) this.change({ picked: ownerOf(what) });
  }

  draw() {
    const parts = networkParts(this.valid);
    const picked = this.picked();
    this.picture.show([imageOf(this.valid), ...parts], picked, this.width);
    this.shares.show(parts, picked);
    this.table.show(parts);
    say(this.summary, summary(parts));
    say(this.code, buildCall(this.valid));
  }

  // -------------------------------------------------------------- what is done

  /** @param {string} part */
  pick(part) {
    this.change({ picked: part });
    if (part === "image" || part === "classifier") this.fold.element.open = true;
  }

  addStage() {
    const { stages, filters } = this.network();
    const [modules, width] = [stages.at(-1) ?? 1, limited(2 * Number(filters.at(-1)))];
    const picked = `stage${stages.length + 1}`;
    this.change({ stages: [...stages, modules], filters: [...filters, width], picked });
  }

  removeStage() {
    const { stages, filters } = this.network();
    this.change({ stages: stages.slice(0, -1), filters: filters.slice(0, -1) });
  }

  doubleFilters() {
    this.change({ filters: this.network().filters.map((one) => one && 2 * one) });
  }

  /** What the article's example has, of what is not hidden; filters belong to their stages. */
  fromExample() {
    const hidden = this.model.get("hide");
    const lists = ["stages", "filters"];
    const kept = lists.some((one) => hidden.includes(one)) ? [...hidden, ...lists] : hidden;
    return Object.fromEntries(Object.entries(EXAMPLE).filter(([name]) => !kept.includes(name)));
  }

  /** The line of Python that makes this view again. */
  view() {
    const [picked, hide] = [this.model.get("picked"), this.model.get("hide")];
    return viewCall({ ...this.network(), picked, ...(hide.length ? { hide } : {}) });
  }
}

/** What goes into a network that can be built. @param {Network} network */
function imageOf(network) {
  const [height, width, channels] = [network.height, network.width, network.depth].map(Number);
  return { name: "image", modules: 0, height, width, channels };
}

/** @param {{model: Model, el: HTMLElement}} place */
function render({ model, el }) {
  passRunKey(el);
  return whenReadable(model, el, RULES, (shown) => {
    const builder = new Builder(shown, el);
    return () => builder.forget();
  });
}

export default { render };
