// ---------------------------------------------------------------- the picture

const HEIGHT = 340;
const BOX = { left: 52, right: 14, top: 64, bottom: 40 };
const AXIS_WORDS = {
  signal_gradient: "norm of the signal's gradient", weight_gradient: "norm of the weights' gradient",
  signal: "root mean square of the signal",
};
const STRIP = { top: 22, height: 20 };

const numbers = (curve) => curve.values.filter((value) => typeof value === "number");

/** Whole powers of ten, at most seven, that enclose the two ends. */
function ticks([least, most]) {
  const low = Math.floor(least), high = Math.ceil(most);
  const step = Math.max(1, Math.ceil((high - low) / 6));
  const first = Math.floor(low / step) * step;
  const count = Math.max(1, Math.ceil((high - first) / step));
  return Array.from({ length: count + 1 }, (_, index) => first + index * step);
}

/** Where layers and decades stand in a picture of this width; `ends` are decades. */
function frameOf(width, depth, ends) {
  const marks = ticks(ends), low = marks[0], high = marks.at(-1);
  const cell = (width - BOX.left - BOX.right) / depth;
  const decade = (HEIGHT - BOX.top - BOX.bottom) / (high - low);
  return {
    depth, marks, cell, low, high,
    right: width - BOX.right,
    x: (layer) => BOX.left + cell * (layer - 0.5),
    y: (value) => BOX.top + decade * (high - value),
    valueAt: (y) => high - (y - BOX.top) / decade,
  };
}

function drawAxes({ depth, marks, right, x, y }, quantity) {
  const lines = marks.map((mark) => `M${BOX.left} ${y(mark)}H${right}`).join("");
  const parts = [make("path", { class: "line", d: lines })];
  for (const mark of marks) {
    parts.push(make("text", { x: BOX.left - 6, y: y(mark) + 4, "text-anchor": "end" }, [`1e${mark}`]));
  }
  for (const layer of new Set([1, Math.ceil(depth / 2), depth])) {
    parts.push(make("text", { x: x(layer), y: HEIGHT - 22, "text-anchor": "middle" }, [`${layer}`]));
  }
  parts.push(make("text", { x: BOX.left, y: BOX.top - 8 }, [AXIS_WORDS[quantity]]));
  parts.push(make("text", { x: (BOX.left + right) / 2, y: HEIGHT - 5, "text-anchor": "middle" },
    ["layer (1 is nearest the input)"]));
  return parts;
}

function drawCurve(curve, { x, y }, which) {
  const guessed = which === "guess" || which === "class"; // a line without marks: nothing measured
  const every = Math.max(1, Math.round(curve.layers.length / 20));
  let path = "", marks = "", odd = "", pen = "M";
  curve.values.forEach((value, at) => {
    const px = x(curve.layers[at]), marked = at % every === 0 || at === curve.layers.length - 1;
    if (typeof value === "number") {
      path += `${pen}${px.toFixed(1)} ${y(value).toFixed(1)}`;
      pen = "L";
      if (marked && !guessed) marks += drawMark(px, y(value), which);
      return;
    }
    pen = "M";
    if (!marked) return;
    // A logarithmic axis has no zero: it stands at the foot, hollow; what is not finite, at the head.
    const [base, tip] = value === "zero" ? [HEIGHT - BOX.bottom - 9, HEIGHT - BOX.bottom - 1] : [BOX.top + 9, BOX.top + 1];
    odd += `M${px - 4} ${base}H${px + 4}L${px} ${tip}z`;
  });
  return make("g", { class: `curve curve-${which}` }, [
    make("path", { class: "stroke", d: path }),
    make("path", { class: "mark", d: marks }),
    make("path", { class: "odd", d: odd }),
  ]);
}

/** Each curve has its own mark as well as its own colour and dashes: a disc, or a polygon. */
function drawMark(x, y, which) {
  if (which === "now") return `M${x - 3} ${y}a3 3 0 1 0 6 0a3 3 0 1 0 -6 0z`;
  const r = 3.5, sides = 3 + (which % 4);
  const corners = Array.from({ length: sides }, (_, at) => {
    const angle = (2 * Math.PI * at) / sides - Math.PI / 2;
    return `${(x + r * Math.cos(angle)).toFixed(1)} ${(y + r * Math.sin(angle)).toFixed(1)}`;
  });
  return `M${corners.join("L")}z`;
}

/** A line with its mark, for the legend. */
function drawSwatch(which) {
  const parts = [
    make("path", { class: "stroke", d: "M1 6H35" }), make("path", { class: "mark", d: drawMark(18, 6, which) })];
  return make("svg", { class: "swatch", viewBox: "0 0 36 12", "aria-hidden": "true" }, parts);
}

const SHADES = 24; // layers of one shade are one element: a browser draws few faster than many

/** The network as a strip of layers, each as bright as its norm is great among the others. */
function drawStrip(curve, depth, { x, cell, right }) {
  const own = numbers(curve), low = Math.max(-45, Math.min(...own, 0)), high = Math.max(...own, 0);
  const shade = (value) => {
    if (typeof value !== "number") return value === "zero" ? 0 : SHADES;
    return Math.round(1 + (SHADES - 1) * Math.min(1, Math.max(0, (value - low) / (high - low || 1))));
  };
  const wide = Math.max(0.5, cell - (cell > 4 ? 1 : 0)), shades = {};
  for (let layer = 1, at = 0; layer <= depth; layer++) {
    while (curve.layers[at + 1] <= layer) at++;
    const box = `M${(x(layer) - cell / 2).toFixed(1)} ${STRIP.top}h${wide.toFixed(1)}v${STRIP.height}h-${wide.toFixed(1)}z`;
    shades[shade(curve.values[at])] = (shades[shade(curve.values[at])] ?? "") + box;
  }
  const cells = Object.entries(shades).map(([bright, d]) =>
    make("path", { class: "layers", d, "fill-opacity": (bright / SHADES).toFixed(3) }));
  const words = [[BOX.left, "start", "input"], [(BOX.left + right) / 2, "middle", "← gradient ←"], [right, "end", "loss"]];
  return [...cells, ...words.map(([at, anchor, word]) =>
    make("text", { x: at, y: STRIP.top - 7, "text-anchor": anchor }, [word]))];
}
