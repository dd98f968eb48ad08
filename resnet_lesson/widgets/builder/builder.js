// ---------------------------------------------------------------- the network as arithmetic

// The same sums as the package's `networks/cost.py`, so that they follow the keys without a kernel; its
// orders and the words of its rules come along.

class Refused extends Error {}

const tuple = (values) => `(${values.join(", ")}${values.length === 1 ? "," : ""})`;
const shownValue = (value) => (value === null ? "None" : `${value}`);

function checkNetwork(network, { rules, orders }) {
  const refuse = (rule, values) => {
    throw new Refused(rules[rule].replace(/\{(\w+)\}/g, (_, name) => values[name]));
  };
  const positive = (what, value) => {
    if (!Number.isInteger(value) || value < 1) refuse("positive", { what, value: shownValue(value) });
  };
  const { stages, filters } = network;
  for (const what of ["width", "height", "depth", "classes"]) positive(what, network[what]);
  for (const what of ["stages", "filters"]) {
    if (network[what].length === 0) refuse("list", { what, value: "()" });
    network[what].forEach((value, at) => positive(`${what}[${at}]`, value));
  }
  const needed = stages.length + 1;
  if (filters.length !== needed) refuse("lengths", { stages: stages.length, needed, value: tuple(filters) });
  filters.forEach((value, at) => {
    if (at > 0 && value % 4) refuse("by_four", { what: `filters[${at}]`, value });
  });
  const halvings = stages.length, least = 2 ** (halvings - 1) + 1;
  for (const what of ["width", "height"]) {
    if (network[what] < least) refuse("halvings", { what, least, halvings, value: network[what] });
  }
  if (!(network.order in orders)) {
    refuse("order", { choices: Object.keys(orders).join(", "), value: `'${network.order}'` });
  }
}

/** Walks through a network and counts. */
class Tally {
  constructor({ height, width, depth }) {
    Object.assign(this, { height, width, channels: depth, times: 1, weights: 0, normed: 0, multiplyAdds: 0 });
  }

  part(name, modules = 0) {
    const { height, width, channels, weights, normed, multiplyAdds } = this;
    Object.assign(this, { weights: 0, normed: 0, multiplyAdds: 0 });
    return {
      name, modules, height, width, channels, multiply_adds: multiplyAdds,
      parameters: weights + 4 * normed, trainable: weights + 2 * normed,
    };
  }

  norms(parts) {
    this.normed += this.times * parts.filter((part) => part === "BN").length * this.channels;
  }

  halve() {
    this.height = Math.ceil(this.height / 2);
    this.width = Math.ceil(this.width / 2);
  }

  weigh(weights) {
    this.weights += this.times * weights;
    this.multiplyAdds += this.times * this.height * this.width * weights;
  }

  conv(filters, size, stride) {
    if (stride === 2) this.halve();
    this.weigh(size * size * this.channels * filters);
    this.channels = filters;
  }

  module(filters, stride, reduce, order) {
    const before = this.channels;
    const convolutions = [[filters / 4, 1, 1], [filters / 4, 3, stride], [filters, 1, 1]];
    convolutions.forEach(([width, size, step], at) => {
      this.norms(at > 0 ? order.between : order.before);
      this.conv(width, size, step);
    });
    this.norms(order.after);
    if (reduce) {
      this.weigh(before * filters);
      if (order.after.includes("BN")) this.norms(["BN"]);
    }
    this.norms(order.after_addition);
  }

  dense(classes) {
    this.weights += (this.channels + 1) * classes;
    this.multiplyAdds += this.channels * classes;
    Object.assign(this, { height: 1, width: 1, channels: classes });
  }
}

/** The network's parts, input side first; a `Refused` says what is impossible. */
function networkParts(network, words) {
  checkNetwork(network, words);
  const order = words.orders[network.order], [stem, ...widths] = network.filters;
  const tally = new Tally(network);
  tally.norms(["BN"]);
  tally.conv(stem, 5, 1);
  tally.norms(["BN"]);
  const parts = [tally.part("stem")];
  tally.halve();
  parts.push(tally.part("pooled"));
  network.stages.forEach((units, stage) => {
    tally.module(widths[stage], stage > 0 ? 2 : 1, true, order);
    tally.times = units - 1; // the others are alike
    tally.module(widths[stage], 1, false, order);
    tally.times = 1;
    parts.push(tally.part(`stage${stage + 1}`, units));
  });
  tally.norms(order.before);
  tally.dense(network.classes);
  return [...parts, tally.part("classifier")];
}

function buildCall({ width, height, depth, classes, stages, filters, order }) {
  const given = [width, height, depth, classes, tuple(stages), tuple(filters)];
  if (order !== "full_preactivation") given.push(`order="${order}"`);
  return `ResNet.build(${given.join(", ")})`;
}

// ---------------------------------------------------------------- the picture

const DRAWN = { height: 190, top: 8, foot: 54, gap: 14, least: 3 };

/**
 * Feature maps to scale: a box is as high as its map, and as wide as it has channels; a stage is
 * as many boxes as it has modules.
 */
function drawNetwork(parts, input, width) {
  const maps = [{ name: "image", modules: 0, height: input.height, width: input.width, channels: input.depth }, ...parts];
  const count = (part) => Math.max(1, part.modules);
  const down = DRAWN.height / Math.max(...maps.map((part) => part.height));
  const room = width - DRAWN.gap * (maps.length + 1);
  const wanted = maps.map((part) => Math.max(DRAWN.least, 0.2 * part.channels) * count(part));
  const across = Math.min(1, room / wanted.reduce((sum, one) => sum + one, 0));
  let left = DRAWN.gap;
  return maps.flatMap((part, at) => {
    const high = Math.max(DRAWN.least, part.height * down), wide = wanted[at] * across;
    const boxes = wide / count(part) > 2 ? count(part) : 1; // thinner ones would run together
    const y = DRAWN.top + (DRAWN.height - high) / 2;
    const drawn = Array.from({ length: boxes }, (_, box) => make("rect", {
      class: `map map-${part.name.replace(/\d+$/, "")}`,
      x: left + (box * wide) / boxes, y, width: wide / boxes, height: high,
    }));
    const name = make("text", {
      // Names stay inside the picture, and neighbours in rows of their own.
      x: Math.min(width - 32, Math.max(22, left + wide / 2)),
      y: DRAWN.top + DRAWN.height + 16 * (1 + (at % 3)), "text-anchor": "middle",
    }, [part.name]);
    left += wide + DRAWN.gap;
    return [...drawn, name];
  });
}

// ---------------------------------------------------------------- the builder

const NETWORK = ["width", "height", "depth", "classes", "stages", "filters", "order"];
const COLUMNS = ["Part", "Modules", "Filters", "Feature maps", "Parameters", "Multiply-adds"];

class Builder {
  constructor(model, el) {
    Object.assign(this, { model, words: model.get("words"), width: 640 });
    this.svg = make("svg", { role: "img" });
    this.refusal = make("p", { class: "refusal", role: "alert" });
    this.summary = make("p", { role: "status", "aria-live": "polite" });
    this.body = make("tbody");
    this.code = make("code");
    this.copied = make("span", { role: "status" });
    el.replaceChildren(this.layout());
    this.listen();
    this.makeRows();
    this.show();
  }

  network() {
    return Object.fromEntries(NETWORK.map((trait) => [trait, this.model.get(trait)]));
  }

  change(traits) {
    for (const [trait, value] of Object.entries(traits)) this.model.set(trait, value);
    this.model.save_changes();
  }

  // -------------------------------------------------------------- elements

  /** A field for one number, or for one of a list. */
  number(name, trait, at = null, step = 1) {
    const field = make("input", { type: "number", min: step, step, "aria-label": name, ...KEYS });
    const read = () => (field.value === "" ? null : Number(field.value));
    const held = () => (at === null ? this.model.get(trait) : this.model.get(trait)[at]);
    field.addEventListener("input", () => this.change({
      [trait]: at === null ? read() : this.model.get(trait).with(at, read()),
    }));
    field.refresh = () => {
      if (read() !== held()) field.value = held() ?? "";
    };
    field.refresh();
    return field;
  }

  layout() {
    const labelled = (words, field) => make("label", {}, [make("span", {}, [words]), field]);
    this.fields = [this.number("Width", "width"), this.number("Height", "height"), this.number("Channels", "depth")];
    const names = Object.keys(this.words.orders);
    this.order = make("select", { "aria-label": "Order", ...KEYS },
      names.map((name) => make("option", { value: name }, [plain(name)])));
    this.order.addEventListener("input", () => this.change({ order: this.order.value }));
    return make("div", { class: "resnet-builder" }, [
      make("div", { class: "controls" }, [
        ...this.fields.map((field) => labelled(field.getAttribute("aria-label"), field)),
        labelled("Order", this.order),
        button("Add a stage", () => this.addStage()),
        this.remove = button("Remove the last stage", () => this.removeStage()),
        button("The article's example", () => this.change(this.model.get("example"))),
      ]),
      this.refusal, this.svg, this.summary,
      make("div", { class: "scrolls", tabindex: 0, role: "region", "aria-label": "Parts of the network" }, [
        make("table", {}, [
          make("thead", {}, [make("tr", {}, COLUMNS.map((name) => make("th", { scope: "col" }, [name])))]),
          this.body,
        ]),
      ]),
      this.callLine = make("p", {}, [this.code, " ", button("Copy", () => this.copy()), " ", this.copied]),
    ]);
  }

  listen() {
    const again = () => {
      this.makeRows();
      this.show();
    };
    this.heard = Object.fromEntries(NETWORK.map((trait) => [`change:${trait}`, again]));
    for (const [event, act] of Object.entries(this.heard)) this.model.on(event, act);
    this.resized = new ResizeObserver(([{ contentRect }]) => {
      if (contentRect.width === 0 || Math.round(contentRect.width) === this.width) return;
      this.width = Math.round(contentRect.width);
      this.show();
    });
    this.resized.observe(this.svg.parentElement);
  }

  forget() {
    this.resized.disconnect();
    for (const [event, act] of Object.entries(this.heard)) this.model.off(event, act);
  }

  /** Rows with their fields, made anew only where the number of stages has changed: the focus stays. */
  makeRows() {
    const stages = this.model.get("stages").length, filters = this.model.get("filters").length;
    if (this.rowsFor === `${stages} ${filters}`) {
      for (const field of this.rowFields) field.refresh();
      return;
    }
    this.rowsFor = `${stages} ${filters}`;
    const stem = filters > 0 ? [this.number("Filters of the stem", "filters", 0)] : [];
    this.rowFields = [...stem];
    const names = [["stem", "", ...stem], ["pooled", "", ""]];
    for (let stage = 1; stage <= stages; stage++) {
      const modules = this.number(`Modules of stage ${stage}`, "stages", stage - 1);
      const width = stage < filters ? this.number(`Filters of stage ${stage}`, "filters", stage, 4) : "";
      this.rowFields.push(...[modules, width].filter((field) => field !== ""));
      names.push([`stage${stage}`, modules, width]);
    }
    const classes = this.number("Classes", "classes");
    this.rowFields.push(classes);
    names.push(["classifier", "", classes], ["in all", "", ""]);
    this.cells = {};
    this.body.replaceChildren(...names.map(([name, modules = "", width = ""]) => {
      this.cells[name] = [make("td"), make("td"), make("td")];
      return make("tr", {}, [
        make("th", { scope: "row" }, [name]), make("td", {}, [modules]), make("td", {}, [width]), ...this.cells[name]]);
    }));
  }

  // -------------------------------------------------------------- what is seen

  show() {
    const network = this.network();
    for (const field of this.fields) field.refresh();
    this.order.value = network.order;
    this.remove.disabled = network.stages.length < 2;
    let parts;
    try {
      parts = networkParts(network, this.words);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      return this.showRefusal(error.message);
    }
    this.refusal.textContent = this.copied.textContent = "";
    this.showParts(parts, network);
    this.callLine.hidden = false;
    this.code.textContent = buildCall(network);
  }

  showRefusal(message) {
    this.refusal.textContent = message;
    this.svg.replaceChildren();
    set(this.svg, { "aria-label": "no network" });
    this.callLine.hidden = true;
    this.summary.textContent = "";
    for (const cell of Object.values(this.cells).flat()) cell.textContent = "";
  }

  showParts(parts, network) {
    const sum = (name) => parts.reduce((total, part) => total + part[name], 0);
    const said = `${sum("modules")} modules, ${grouped(sum("parameters"))} parameters, `
      + `${grouped(sum("trainable"))} of them trainable; ${grouped(sum("multiply_adds"))} multiply-adds an image.`;
    if (this.summary.textContent !== said) this.summary.textContent = said;
    set(this.svg, { viewBox: `0 0 ${this.width} ${DRAWN.top + DRAWN.height + DRAWN.foot}`, "aria-label":
      `Feature maps to scale: ${parts.map((part) => `${part.name} ${part.height} by ${part.width} by ${part.channels}`).join(", ")}` });
    this.svg.replaceChildren(...drawNetwork(parts, network, this.width));
    for (const part of parts) {
      this.fill(part.name, `${part.height} x ${part.width} x ${part.channels}`, part.parameters, part.multiply_adds);
    }
    this.fill("in all", "", sum("parameters"), sum("multiply_adds"));
  }

  fill(name, maps, parameters, multiplyAdds) {
    [maps, grouped(parameters), grouped(multiplyAdds)].forEach((words, at) => {
      this.cells[name][at].textContent = words;
    });
  }

  // -------------------------------------------------------------- what is done

  addStage() {
    const { stages, filters } = this.network();
    this.change({ stages: [...stages, stages.at(-1) ?? 1], filters: [...filters, 2 * filters.at(-1)] });
  }

  removeStage() {
    const { stages, filters } = this.network();
    this.change({ stages: stages.slice(0, -1), filters: filters.slice(0, -1) });
  }

  async copy() {
    try {
      await navigator.clipboard.writeText(this.code.textContent);
      this.copied.textContent = "copied";
    } catch {
      // No clipboard, as on a page from a file: the call is selected, ready for the keys.
      getSelection().selectAllChildren(this.code);
      this.copied.textContent = "selected: copy it with the keys";
    }
  }
}

function render({ model, el }) {
  const builder = new Builder(model, el);
  return () => builder.forget();
}

export default { render };
