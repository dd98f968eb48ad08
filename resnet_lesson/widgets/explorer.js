const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 640, HEIGHT = 300;
const BOX = { left: 62, right: 12, top: 16, bottom: 40 };
const SETTINGS = ["depth", "activation", "initializer", "normalization", "shortcut"];

function make(tag, attributes = {}, children = []) {
  const svg = ["svg", "path", "line", "circle", "polygon", "text"].includes(tag);
  const element = svg ? document.createElementNS(SVG, tag) : document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

function labelled(text, control) {
  // Without this, JupyterLab's shortcuts take the arrow keys from a control that has the focus.
  control.setAttribute("data-lm-suppress-shortcuts", "true");
  return make("label", {}, [make("span", {}, [text]), control]);
}

function select(options) {
  return make("select", {}, options.map((option) => make("option", {}, [option])));
}

/** The whole powers of ten, at most seven, that enclose the logarithms. */
function ticks(logarithms) {
  const low = Math.floor(Math.min(0, ...logarithms));
  const high = Math.ceil(Math.max(0, ...logarithms));
  const step = Math.max(1, Math.ceil((high - low) / 6));
  const first = Math.floor(low / step) * step;
  const count = Math.max(1, Math.ceil((high - first) / step));
  return Array.from({ length: count + 1 }, (_, index) => first + index * step);
}

function draw(svg, curve) {
  const marks = ticks(curve.filter((value) => typeof value === "number"));
  const [low, high] = [marks[0], marks[marks.length - 1]];
  const across = WIDTH - BOX.left - BOX.right, down = HEIGHT - BOX.top - BOX.bottom;
  const x = (layer) => BOX.left + (across * (layer + 0.5)) / curve.length;
  const y = (value) => BOX.top + (down * (high - value)) / (high - low);
  const parts = [];
  for (const mark of marks) {
    parts.push(make("line", { class: "grid", x1: BOX.left, x2: WIDTH - BOX.right, y1: y(mark), y2: y(mark) }));
    parts.push(make("text", { x: BOX.left - 6, y: y(mark) + 4, "text-anchor": "end" }, [`1e${mark}`]));
  }
  for (const layer of new Set([0, Math.floor((curve.length - 1) / 2), curve.length - 1])) {
    parts.push(make("text", { x: x(layer), y: HEIGHT - 24, "text-anchor": "middle" }, [`${layer + 1}`]));
  }
  parts.push(make("text", { x: BOX.left + across / 2, y: HEIGHT - 6, "text-anchor": "middle" },
    ["layer (1 is nearest the input)"]));
  let path = "", pen = "M";
  curve.forEach((value, layer) => {
    const [px, foot, head] = [x(layer), BOX.top + down - 6, BOX.top + 6];
    if (typeof value === "number") {
      path += `${pen}${px} ${y(value)}`;
      pen = "L";
      parts.push(make("circle", { class: "point", cx: px, cy: y(value), r: curve.length > 60 ? 2 : 3.5 }));
      return;
    }
    pen = "M";
    // A logarithmic axis has no zero: it stands at the foot, hollow; what is not finite, at the head.
    const [base, tip] = value === "zero" ? [foot - 4, foot + 4] : [head + 4, head - 4];
    parts.push(make("polygon", { class: "odd", points: `${px - 4},${base} ${px + 4},${base} ${px},${tip}` }));
  });
  parts.push(make("path", { class: "curve", d: path }));
  svg.replaceChildren(...parts);
}

function render({ model, el }) {
  const choices = model.get("choices");
  const controls = {
    depth: make("input", { type: "range", min: 1, max: choices.depth, "aria-label": "Depth" }),
    activation: select(choices.activation),
    initializer: select(choices.initializer),
    normalization: make("input", { type: "checkbox" }),
    shortcut: make("input", { type: "checkbox" }),
  };
  const names = ["Depth", "Activation", "Initialiser", "Batch normalisation", "Shortcut"];
  const depth = make("output");
  const bar = make("div", { class: "controls" },
    SETTINGS.map((setting, index) => labelled(names[index], controls[setting])));
  controls.depth.after(depth);
  const svg = make("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img" });
  const status = make("p", { role: "status", "aria-live": "polite" });
  el.replaceChildren(make("div", { class: "resnet-explorer" }, [bar, svg, status]));

  // A slider moves faster than a network is differentiated: one request at a time, the newest next.
  let waiting = false, again = false;
  const value = (setting) => {
    const control = controls[setting];
    if (control.type === "checkbox") return control.checked;
    return setting === "depth" ? Number(control.value) : control.value;
  };
  const send = () => {
    depth.value = controls.depth.value;
    if (waiting) {
      again = true;
      return;
    }
    const changed = SETTINGS.filter((setting) => model.get(setting) !== value(setting));
    if (changed.length === 0) return;
    waiting = true;
    for (const setting of changed) model.set(setting, value(setting));
    model.save_changes();
  };
  const show = () => {
    draw(svg, model.get("curve"));
    svg.setAttribute("aria-label", model.get("status"));
    status.textContent = model.get("status");
  };
  const answered = () => {
    show();
    waiting = false;
    if (again) {
      again = false;
      send();
    }
  };
  const follow = () => {
    if (waiting) return; // the reader is moving a control: their hand leads
    for (const setting of SETTINGS) {
      const control = controls[setting];
      if (control.type === "checkbox") control.checked = model.get(setting);
      else control.value = model.get(setting);
    }
    depth.value = model.get("depth");
  };
  follow();
  show();
  bar.addEventListener("input", send);
  model.on("change:status", answered);
  for (const setting of SETTINGS) model.on(`change:${setting}`, follow);
  return () => {
    model.off("change:status", answered);
    for (const setting of SETTINGS) model.off(`change:${setting}`, follow);
  };
}

export default { render };
