// The gradient explorer. The model's traits say what is shown; where a kernel answers, it
// computes; where none does, the grid of curves that came along stands in.

const SVG = "http://www.w3.org/2000/svg";
const SHAPES = ["svg", "g", "path", "line", "circle", "polygon", "rect", "text", "title"];
const WIDTH = 640, HEIGHT = 340;
const BOX = { left: 62, right: 14, top: 64, bottom: 40 };
const STRIP = { top: 22, height: 20 };
const SETTING = ["kind", "order", "activation", "initializer", "normalization", "shortcut"];
const TRAITS = [...SETTING, "depth", "quantity", "seed"];
const NAMES = {
  depth: "Depth", activation: "Activation", shortcut: "Shortcut", initializer: "Initialiser",
  normalization: "Batch normalisation", order: "Order", kind: "Kind", quantity: "Show",
};
const ANSWER_TIME = 20_000; // ms without an answer after which the grid stands in

function make(tag, attributes = {}, children = []) {
  const svg = SHAPES.includes(tag);
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

const plain = (name) => name.replaceAll("_", " ");

// ---------------------------------------------------------------- the grid

/** The grid of its text, unpacked: a view of the codes, and the word for each that has one. */
function readGrid(text) {
  const grid = JSON.parse(text);
  const bytes = Uint8Array.from(atob(grid.codes), (letter) => letter.charCodeAt(0));
  const words = Object.fromEntries(Object.entries(grid.words).map(([word, code]) => [code, word]));
  return { ...grid, codes: new DataView(bytes.buffer), words };
}

/** What the grid has for this setting: {curve, described}, or null. */
function lookUp(grid, setting) {
  const place = grid.settings.indexOf(SETTING.map((name) => setting[name]).join(","));
  const deep = grid.depths.indexOf(setting.depth);
  if (place < 0 || deep < 0 || setting.seed) return null;
  const quantities = grid.choices.quantity;
  const index = (place * grid.depths.length + deep) * quantities.length + quantities.indexOf(setting.quantity);
  const layers = keptLayers(setting.depth, grid.layers);
  const values = layers.map((_, at) => {
    const code = grid.codes.getInt16(2 * (index * grid.layers + at), true);
    return grid.words[code] ?? code / grid.steps;
  });
  return { curve: { layers, values }, described: grid.descriptions[grid.described[index]] };
}

/** As NumPy has it: evenly spread, halves rounded to even. */
function keptLayers(depth, most) {
  const count = Math.min(depth, most);
  const even = (x) => (x % 1 === 0.5 ? 2 * Math.round(x / 2) : Math.round(x));
  const spread = Array.from({ length: count }, (_, at) =>
    even(count === 1 ? 1 : 1 + (at * (depth - 1)) / (count - 1)));
  return [...new Set(spread)];
}

function sentence(model, described, quantity) {
  const { subjects, sentences, endings } = model.get("words");
  const said = [sentences[described.shape],
    ...Object.keys(endings).filter((name) => described[name]).map((name) => endings[name])].join("");
  const filled = said.replace(/\{(\w+)\}/g, (_, name) => described[name]);
  return `${subjects[quantity]} ${filled}.`;
}

function label(setting) {
  const layer = { dense: "layer", convolution: "convolution" }[setting.kind] ?? `${setting.kind} module`;
  return [
    `${setting.depth} ${setting.activation} ${layer}${setting.depth > 1 ? "s" : ""}`,
    `${setting.initializer} weights`,
    ...(setting.normalization ? ["BN"] : []),
    ...(setting.shortcut ? ["shortcuts"] : []),
    ...(setting.order === "full_preactivation" ? [] : [plain(setting.order)]),
    ...(setting.seed ? [`draw ${setting.seed + 1}`] : []),
  ].join(", ");
}

// ---------------------------------------------------------------- the picture

const numbers = (curve) => curve.values.filter((value) => typeof value === "number");

/** Whole powers of ten, at most seven, that enclose the two ends. */
function ticks([least, most]) {
  const low = Math.floor(least), high = Math.ceil(most);
  const step = Math.max(1, Math.ceil((high - low) / 6));
  const first = Math.floor(low / step) * step;
  const count = Math.max(1, Math.ceil((high - first) / step));
  return Array.from({ length: count + 1 }, (_, index) => first + index * step);
}

const ACROSS = WIDTH - BOX.left - BOX.right, DOWN = HEIGHT - BOX.top - BOX.bottom;

/** Where a layer stands in a network of this depth. */
const acrossOf = (depth) => (layer) => BOX.left + (ACROSS * (layer - 0.5)) / depth;

function drawAxes(ends, depth) {
  const marks = ticks(ends), [low, high] = [marks[0], marks[marks.length - 1]];
  const scale = {
    x: acrossOf(depth),
    y: (value) => BOX.top + (DOWN * (high - value)) / (high - low),
  };
  const parts = marks.flatMap((mark) => [
    make("line", { class: "line", x1: BOX.left, x2: WIDTH - BOX.right, y1: scale.y(mark), y2: scale.y(mark) }),
    make("text", { x: BOX.left - 6, y: scale.y(mark) + 4, "text-anchor": "end" }, [`1e${mark}`]),
  ]);
  for (const layer of new Set([1, Math.ceil(depth / 2), depth])) {
    parts.push(make("text", { x: scale.x(layer), y: HEIGHT - 22, "text-anchor": "middle" }, [`${layer}`]));
  }
  parts.push(make("text", { x: BOX.left + ACROSS / 2, y: HEIGHT - 5, "text-anchor": "middle" },
    ["layer (1 is nearest the input)"]));
  return { parts, scale };
}

function drawCurve(curve, { x, y }, which) {
  const parts = [], every = Math.max(1, Math.round(curve.layers.length / 20));
  let path = "", pen = "M";
  curve.values.forEach((value, at) => {
    const px = x(curve.layers[at]), marked = at % every === 0 || at === curve.layers.length - 1;
    if (typeof value === "number") {
      path += `${pen}${px.toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      if (marked) parts.push(drawMark(px, y(value), which));
      return;
    }
    pen = "M";
    if (!marked) return;
    // A logarithmic axis has no zero: it stands at the foot, hollow; what is not finite, at the head.
    const [base, tip] = value === "zero" ? [HEIGHT - BOX.bottom - 9, HEIGHT - BOX.bottom - 1] : [BOX.top + 9, BOX.top + 1];
    parts.push(make("polygon", { class: `odd odd-${value}`, points: `${px - 4},${base} ${px + 4},${base} ${px},${tip}` }));
  });
  return make("g", { class: `curve curve-${which}` }, [make("path", { d: path }), ...parts]);
}

/** Each curve has its own mark as well as its own colour and dashes. */
function drawMark(x, y, which) {
  if (which === "now") return make("circle", { class: "mark", cx: x, cy: y, r: 3 });
  const r = 3.5, sides = 3 + (which % 4);
  const points = Array.from({ length: sides }, (_, at) => {
    const angle = (2 * Math.PI * at) / sides - Math.PI / 2;
    return `${x + r * Math.cos(angle)},${y + r * Math.sin(angle)}`;
  });
  return make("polygon", { class: "mark", points: points.join(" ") });
}

/** The network as a strip of layers, each as bright as its norm is great among the others. */
function drawStrip(curve, depth, [low, high]) {
  const x = acrossOf(depth), cell = ACROSS / depth;
  const bright = (value) => {
    if (typeof value !== "number") return value === "zero" ? 0 : 1;
    return 0.08 + 0.92 * Math.min(1, Math.max(0, (value - low) / (high - low || 1)));
  };
  const cells = [];
  for (let layer = 1, at = 0; layer <= depth; layer++) {
    while (curve.layers[at + 1] <= layer) at++;
    const value = curve.values[at];
    cells.push(make("rect", {
      class: "layer", x: x(layer) - cell / 2, width: Math.max(0.5, cell - (cell > 4 ? 1 : 0)),
      y: STRIP.top, height: STRIP.height, "fill-opacity": bright(value).toFixed(3),
    }));
  }
  const words = [[BOX.left, "start", "input"], [WIDTH / 2, "middle", "← gradient ←"], [WIDTH - BOX.right, "end", "loss"]];
  return [...cells, ...words.map(([at, anchor, word]) =>
    make("text", { x: at, y: STRIP.top - 7, "text-anchor": anchor }, [word]))];
}

function draw(svg, curve, depth, pins, axis) {
  const all = [curve, ...pins.map((pin) => pin.curve)].flatMap(numbers);
  // From the smallest to the largest, 1 included: a level curve then looks level.
  const ends = axis ?? [Math.min(0, ...all), Math.max(0, ...all)];
  const deepest = Math.max(depth, ...pins.map((pin) => pin.curve.layers.at(-1)));
  const { parts, scale } = drawAxes(ends, deepest);
  const own = numbers(curve);
  svg.replaceChildren(
    ...drawStrip(curve, depth, [Math.max(-45, Math.min(...own, 0)), Math.max(...own, 0)]),
    ...parts,
    ...pins.map((pin, which) => drawCurve(pin.curve, scale, which)),
    drawCurve(curve, scale, "now"),
  );
}

// ---------------------------------------------------------------- the controls

function control(trait, options) {
  const element = options
    ? make("select", {}, options.map((option) => make("option", { value: option }, [plain(option)])))
    : make("input", { type: trait === "depth" ? "range" : "checkbox" });
  // Without this, JupyterLab's shortcuts take the arrow keys from a control that has the focus.
  element.setAttribute("data-lm-suppress-shortcuts", "true");
  element.setAttribute("aria-label", NAMES[trait]);
  return element;
}

function button(text, press) {
  const element = make("button", { type: "button", "data-lm-suppress-shortcuts": "true" }, [text]);
  element.addEventListener("click", press);
  return element;
}

const labelled = (trait, element, ...more) => make("label", {}, [make("span", {}, [NAMES[trait]]), element, ...more]);

function valueOf(trait, element) {
  if (element.type === "checkbox") return element.checked;
  return trait === "depth" ? Number(element.value) : element.value;
}

function render({ model, el }) {
  const grid = readGrid(model.get("grid"));
  const { choices, depths } = grid;
  const controls = Object.fromEntries(Object.keys(NAMES).map((trait) => [trait, control(trait, choices[trait])]));
  Object.assign(controls.depth, { min: 1, max: grid.most });
  const depthShown = make("output");
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const status = make("p", { role: "status", "aria-live": "polite" });
  const note = make("p", { class: "note" });
  const legend = make("ul", { class: "pins", "aria-label": "Pinned curves" });
  let axis = null; // fixed while the questions are gone through
  let kernel = false, waiting = 0, again = false;

  const setting = () => Object.fromEntries(TRAITS.map((trait) => [trait, model.get(trait)]));
  const shown = () => ({ label: label(setting()), curve: model.get("curve") });

  const show = () => {
    draw(svg, model.get("curve"), model.get("depth"), model.get("pins"), axis);
    svg.setAttribute("aria-label", model.get("status"));
    if (status.textContent !== model.get("status")) status.textContent = model.get("status");
    legend.replaceChildren(...model.get("pins").map((pin, which) =>
      make("li", { class: `curve-${which}` }, [
        make("span", { class: "swatch", "aria-hidden": "true" }), pin.label, " ",
        button("remove", () => setPins(model.get("pins").filter((_, other) => other !== which))),
      ])));
  };
  const follow = () => {
    if (waiting) return; // the reader is moving a control: their hand leads
    for (const [trait, element] of Object.entries(controls)) {
      if (element.type === "checkbox") element.checked = model.get(trait);
      else element.value = model.get(trait);
    }
    depthShown.value = model.get("depth");
  };
  const setPins = (pins) => {
    if (pins.length === 0) axis = null;
    model.set("pins", pins);
    if (kernel) model.save_changes();
    show();
  };

  /** Without a kernel: the recorded curve, if there is one; false where there is none. */
  const fromGrid = (wanted) => {
    const found = lookUp(grid, wanted);
    if (!found) return false;
    for (const [trait, value] of Object.entries(wanted)) model.set(trait, value);
    model.set("curve", found.curve);
    model.set("status", `${label(wanted)}. ${sentence(model, found.described, wanted.quantity)}`);
    follow();
    show();
    return true;
  };
  const nearest = (depth, before) => {
    const ahead = depths.filter((one) => (depth > before ? one > before : one < before));
    const among = ahead.length && depth !== before ? ahead : depths;
    return among.reduce((best, one) => (Math.abs(one - depth) < Math.abs(best - depth) ? one : best));
  };
  const offline = (wanted) => {
    const recorded = { ...wanted, seed: 0, depth: nearest(wanted.depth, model.get("depth")) };
    const known = fromGrid(recorded);
    note.textContent = known
      ? "No kernel answers: these curves were computed beforehand, at some depths."
      : "No kernel answers, and this combination was not computed beforehand.";
    if (!known) follow();
  };

  // A slider moves faster than a network is differentiated: one request at a time, the newest next.
  const request = (wanted) => {
    if (!kernel) return offline(wanted);
    if (waiting) {
      again = true;
      return;
    }
    const changed = Object.entries(wanted).filter(([trait, value]) => model.get(trait) !== value);
    if (changed.length === 0) return;
    for (const [trait, value] of changed) model.set(trait, value);
    model.save_changes();
    waiting = setTimeout(silence, ANSWER_TIME);
  };
  const silence = () => {
    waiting = 0;
    kernel = false;
    offline(setting());
  };
  const answered = () => {
    clearTimeout(waiting);
    waiting = 0;
    show();
    if (again) {
      again = false;
      send();
    }
  };
  const send = () => {
    depthShown.value = controls.depth.value;
    const values = Object.entries(controls).map(([trait, element]) => [trait, valueOf(trait, element)]);
    request({ ...setting(), ...Object.fromEntries(values) });
  };
  const hear = (said) => {
    if (said !== "here") return;
    kernel = true;
    note.textContent = "";
  };

  const ask = (preset) => {
    if (axis) setPins([...model.get("pins"), shown()].slice(-7));
    axis = model.get("preset_axis");
    request(preset.setting);
  };
  const questions = make("div", { class: "questions", role: "group", "aria-label": "Questions" },
    model.get("presets").map((preset) => button(preset.question, () => ask(preset))));
  const depthLabel = labelled("depth", controls.depth, depthShown);
  const first = make("div", { class: "controls" }, [
    depthLabel, labelled("activation", controls.activation), labelled("shortcut", controls.shortcut)]);
  const more = make("details", {}, [
    make("summary", { "data-lm-suppress-shortcuts": "true" }, ["More"]),
    make("div", { class: "controls" }, [
      ...["initializer", "normalization", "order", "kind", "quantity"].map((trait) => labelled(trait, controls[trait])),
      button("Redraw weights", () => request({ ...setting(), seed: model.get("seed") + 1 })),
      button("Pin this curve", () => setPins([...model.get("pins"), shown()])),
    ]),
  ]);
  el.replaceChildren(make("div", { class: "resnet-explorer" }, [first, more, questions, svg, status, legend, note]));

  follow();
  show();
  for (const part of [first, more]) part.addEventListener("input", send);
  const heard = { "change:answers": answered, "change:pins": show, "msg:custom": hear };
  for (const trait of TRAITS) heard[`change:${trait}`] = follow;
  for (const [event, act] of Object.entries(heard)) model.on(event, act);
  model.send("hello");
  return () => {
    for (const [event, act] of Object.entries(heard)) model.off(event, act);
  };
}

export default { render };
