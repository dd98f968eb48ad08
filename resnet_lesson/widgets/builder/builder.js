// The architecture builder: the model's traits are the arguments of `build`.

import { builder } from "../chart/constants.js";
import { button, KEYS, labelled, make, say, set } from "../chart/elements.js";
import { listen, onResize, put } from "../chart/model.js";
import { plain } from "../chart/words.js";
import { buildCall, networkParts, Refused } from "./arithmetic.js";
import { drawNetwork, HEIGHT } from "./picture.js";
import { numberField, Table } from "./table.js";
import { mapsInWords, summary } from "./words.js";

/** @typedef {import("./arithmetic.js").Network} Network */
/** @typedef {import("./arithmetic.js").Part} Part */
/** @typedef {Network & {words: import("./arithmetic.js").Words, example: Network}} Traits */
/** @typedef {import("../chart/model.js").Model<Traits>} Model */

const NETWORK = /** @type {(keyof Network)[]} */ (builder.network);

class Builder {
  width = 640;
  svg = make("svg", { role: "img" });
  refusal = make("p", { class: "refusal", role: "alert" });
  summary = make("p", { role: "status", "aria-live": "polite" });
  code = make("code");
  copied = make("span", { role: "status" });
  table = new Table();

  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.words = model.get("words");
    this.fields = [
      this.number("Width", "width"),
      this.number("Height", "height"),
      this.number("Channels", "depth"),
    ];
    this.order = this.makeOrder();
    this.remove = button("Remove the last stage", () => this.removeStage());
    const copy = button("Copy", () => this.copy());
    this.callLine = make("p", {}, [this.code, " ", copy, " ", this.copied]);
    const root = this.layout();
    el.replaceChildren(root);
    const heard = NETWORK.map((trait) => [`change:${trait}`, () => this.show()]);
    this.endings = [
      listen(model, Object.fromEntries(heard)),
      onResize(root, this.width, (width) => {
        this.width = width;
        this.show();
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
      Object.fromEntries(NETWORK.map((trait) => [trait, this.model.get(trait)]))
    );
  }

  /** @param {Partial<Network>} traits */
  change(traits) {
    put(this.model, traits);
    this.model.save_changes();
  }

  // -------------------------------------------------------------- elements

  /**
   * A field for one number.
   *
   * @param {string} name
   * @param {"width" | "height" | "depth" | "classes"} trait
   */
  number(name, trait) {
    return numberField(name, {
      read: () => this.model.get(trait),
      write: (value) => this.change({ [trait]: value }),
    });
  }

  /**
   * A field for one number of a list.
   *
   * @param {string} name
   * @param {"stages" | "filters"} trait
   * @param {number} at
   * @param {number} [step]
   */
  numberOf(name, trait, at, step) {
    const held = () => this.model.get(trait);
    const write = (/** @type {number | null} */ value) =>
      this.change({ [trait]: held().with(at, value) });
    return numberField(name, { read: () => held()[at], write }, step);
  }

  makeOrder() {
    const names = Object.keys(this.words.orders);
    const options = names.map((name) => make("option", { value: name }, [plain(name)]));
    const order = make("select", { "aria-label": "Order", ...KEYS }, options);
    order.addEventListener("input", () => this.change({ order: order.value }));
    return order;
  }

  layout() {
    const fields = this.fields.map(({ element }) =>
      labelled(element.getAttribute("aria-label") ?? "", element),
    );
    return make("div", { class: "resnet-builder" }, [
      make("div", { class: "controls" }, [
        ...fields,
        labelled("Order", this.order),
        button("Add a stage", () => this.addStage()),
        this.remove,
        button("The article's example", () => this.change(this.model.get("example"))),
      ]),
      this.refusal,
      this.svg,
      this.summary,
      this.table.root,
      this.callLine,
    ]);
  }

  // -------------------------------------------------------------- what is seen

  show() {
    const network = this.network();
    this.refresh(network);
    try {
      this.showParts(networkParts(network, this.words), network);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.showRefusal(error.message);
    }
  }

  /** The controls show the traits. @param {Network} network */
  refresh({ stages, filters, order }) {
    this.table.refresh(stages.length, filters.length, (name, trait, at, step) =>
      trait === "classes" ? this.number(name, trait) : this.numberOf(name, trait, at ?? 0, step),
    );
    for (const { refresh } of this.fields) refresh();
    this.order.value = order;
    this.remove.disabled = stages.length < 2;
  }

  /** @param {string} message */
  showRefusal(message) {
    this.refusal.textContent = message;
    this.svg.replaceChildren();
    set(this.svg, { "aria-label": "no network" });
    this.callLine.hidden = true;
    this.summary.textContent = "";
    this.table.clear();
  }

  /** @param {Part[]} parts @param {Network} network */
  showParts(parts, network) {
    this.refusal.textContent = "";
    this.copied.textContent = "";
    say(this.summary, summary(parts));
    set(this.svg, {
      viewBox: `0 0 ${this.width} ${HEIGHT}`,
      "aria-label": mapsInWords(parts),
    });
    this.svg.replaceChildren(...drawNetwork(parts, network, this.width));
    this.table.show(parts);
    this.callLine.hidden = false;
    this.code.textContent = buildCall(network);
  }

  // -------------------------------------------------------------- what is done

  addStage() {
    const { stages, filters } = this.network();
    const [modules, width] = [stages.at(-1) ?? 1, 2 * Number(filters.at(-1))];
    this.change({ stages: [...stages, modules], filters: [...filters, width] });
  }

  removeStage() {
    const { stages, filters } = this.network();
    this.change({ stages: stages.slice(0, -1), filters: filters.slice(0, -1) });
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.code.textContent ?? "");
      this.copied.textContent = "copied";
    } catch {
      // No clipboard, as on a page from a file: the call is selected, ready for the keys.
      getSelection()?.selectAllChildren(this.code);
      this.copied.textContent = "selected: copy it with the keys";
    }
  }
}

/** @param {{model: Model, el: HTMLElement}} place */
function render({ model, el }) {
  const shown = new Builder(model, el);
  return () => shown.forget();
}

export default { render };
