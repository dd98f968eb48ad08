// The lesion explorer: delete modules of a trained network, and see what it still knows.

import { sum } from "../chart/data.js";
import { button, make, passRunKey, say, turnOff } from "../chart/elements.js";
import { listen, put } from "../chart/model.js";
import { whenReadable } from "../chart/readable.js";
import { Classes } from "./classes.js";
import { Left } from "./left.js";
import { RULES } from "./rules.js";
import { Wire } from "./wire.js";
import { favourite, found, indexOf } from "./words.js";

/**
 * @typedef {object} Traits
 * @property {string[]} deleted
 * @property {string[]} tried modules that were deleted alone
 * @property {string[]} modules
 * @property {string[]} class_names
 * @property {number[]} images of each class
 * @property {string} counts as text, by the set of deleted modules
 */
/** @typedef {import("../chart/model.js").Model<Traits>} Model */

class Lesions {
  said = make("p", { class: "said", role: "status", "aria-live": "polite" });

  /** @param {Model} model @param {HTMLElement} el */
  constructor(model, el) {
    this.model = model;
    this.modules = model.get("modules");
    this.names = model.get("class_names");
    this.images = model.get("images");
    /** @type {import("./words.js").Counts[]} */
    this.counts = JSON.parse(model.get("counts"));
    this.wire = new Wire(this.modules, (name) => this.turn(name));
    this.left = new Left(this.rightWithout(), sum(this.images));
    this.classes = new Classes(this.names);
    this.all = button("Put all back", () => this.change({ deleted: [] }), "quiet");
    el.replaceChildren(this.layout());
    this.forget = listen(model, {
      "change:deleted": () => this.show(),
      "change:tried": () => this.show(),
    });
    this.show();
  }

  layout() {
    return make("div", { class: "resnet-lesions" }, [
      make("p", { class: "title" }, ["Which modules can this network lose?"]),
      make("p", { class: "hint" }, [
        "Try first: press a module. Its branch is deleted; the wire stays.",
      ]),
      this.wire.element,
      make("div", { class: "controls" }, [
        this.all,
        make("span", { class: "key" }, [
          "The bar under a module keeps the accuracy without this module alone, in per cent. ",
          "A square on the wire is a projection, a 1×1 convolution.",
        ]),
      ]),
      this.left.element,
      this.said,
      this.classes.element,
    ]);
  }

  /** @param {Partial<Traits>} traits */
  change(traits) {
    put(this.model, traits);
    this.model.save_changes();
  }

  /** Delete a module, or put it back. @param {string} name */
  turn(name) {
    const deleted = this.model.get("deleted");
    const others = deleted.filter((one) => one !== name);
    this.change({ deleted: deleted.includes(name) ? others : [...deleted, name] });
  }

  // -------------------------------------------------------------- what is seen

  show() {
    const [deleted, tried] = [this.model.get("deleted"), this.model.get("tried")];
    if (deleted.length === 1 && !tried.includes(deleted[0])) {
      this.change({ tried: [...tried, deleted[0]] }); // which shows all this
      return;
    }
    const [right, answers] = this.counts[indexOf(this.modules, deleted)];
    const share = (/** @type {string} */ name) => this.rightWithout(name) / sum(this.images);
    this.wire.show(deleted, new Map(tried.map((name) => [name, share(name)])));
    this.left.show(sum(right));
    this.classes.show(right, answers, this.images);
    this.say(deleted, right, answers);
    turnOff(this.all, deleted.length === 0);
  }

  /** How many images are classified correctly. @param {string[]} deleted */
  rightWithout(...deleted) {
    return sum(this.counts[indexOf(this.modules, deleted)][0]);
  }

  /** @param {string[]} deleted @param {number[]} right @param {number[]} answers */
  say(deleted, right, answers) {
    const gone = this.modules.filter((name) => deleted.includes(name));
    const [images, whole] = [sum(this.images), sum(this.counts[0][0])];
    const said = found(gone, sum(right), whole, images);
    say(this.said, said + favourite(answers, this.names, images));
  }
}

/** @param {{model: Model, el: HTMLElement}} place */
function render({ model, el }) {
  passRunKey(el);
  return whenReadable(model, el, RULES, (shown) => {
    const lesions = new Lesions(shown, el);
    return () => lesions.forget();
  });
}

export default { render };
