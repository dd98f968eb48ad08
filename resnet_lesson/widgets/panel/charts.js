// ---------------------------------------------------------------- a recording

const MEASURES = { gradient_norm: "Gradient norm", weight_norm: "Weight norm", update_ratio: "Relative update" };
const MEASURE_NAMES = Object.keys(MEASURES);
const FROZEN = -6; // decades of relative update: a step moves a layer by less than a millionth

const int16 = (text) => new Int16Array(Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0)).buffer);

/** Columns of equally many steps, as the package's `Strip` sends them. */
class Strip {
  constructor(most, layers) {
    Object.assign(this, { layers, codes: new Int16Array(most * layers * MEASURE_NAMES.length), loss: [], accuracy: [] });
  }

  get columns() {
    return this.loss.length;
  }

  take({ stride, from, codes, loss, accuracy }) {
    // Where a message before this one is missing: a whole one comes soon.
    if (from > this.columns || (from > 0 && stride !== this.stride)) return;
    this.stride = stride;
    this.codes.set(int16(codes), from * this.layers * MEASURE_NAMES.length);
    this.loss.splice(from, Infinity, ...loss);
    this.accuracy.splice(from, Infinity, ...accuracy);
  }

  /** The codes of a column, input side first. */
  column(column, measure) {
    const start = (column * MEASURE_NAMES.length + MEASURE_NAMES.indexOf(measure)) * this.layers;
    return this.codes.subarray(start, start + this.layers);
  }
}

/** One network's training. */
class Run {
  constructor(scale, part) {
    const layers = part.layers.length;
    Object.assign(this, { scale, whole: new Strip(scale.columns, layers), opening: new Strip(scale.opening, layers) });
    this.take(part);
  }

  take({ whole, opening, ...facts }) {
    Object.assign(this, facts);
    this.whole.take(whole);
    this.opening.take(opening);
  }

  /** How many steps a column of the strip stands for. */
  width(strip) {
    return strip.stride * this.every;
  }

  /** The column of a step, or the last one. */
  columnOf(strip, step) {
    return Math.min(strip.columns - 1, Math.floor(step / this.width(strip)));
  }

  /** The steps that the picture has room for: those planned, as far as the columns reach. */
  extent(strip) {
    const room = (strip === this.whole ? this.scale.columns : this.scale.opening) * this.width(strip);
    return Math.min(this.total ?? room, room);
  }
}

/** A code as decades; zero is -Infinity, what is infinite or not a number, null. */
function decades(code, scale) {
  if (code === scale.zero) return -Infinity;
  return code >= scale.nan ? null : code / scale.per_decade;
}

// ---------------------------------------------------------------- words

const short = (x) => (x === -Infinity ? "0" : (10 ** x).toExponential(1).replace("e+", "e"));
const rounded = (value) => (value === null ? "not finite" : Number(value.toPrecision(3)).toString());

/** A run at a step in words: what the picture shows. */
function describe(run, strip, step, measure) {
  const column = run.columnOf(strip, step), { layers, scale } = run;
  const norms = Array.from(strip.column(column, measure), (code) => decades(code, scale));
  const known = norms.map((x, at) => [x, at]).filter(([x]) => x !== null).sort(([a], [b]) => a - b);
  const updates = Array.from(strip.column(column, "update_ratio"), (code) => decades(code, scale));
  const frozen = updates.filter((x) => x !== null && x < FROZEN).length, odd = norms.length - known.length;
  const said = [`loss ${rounded(strip.loss[column])}`];
  if (run.metric) said.push(`${plain(run.metric)} ${rounded(strip.accuracy[column])}`);
  const words = [`${said.join(", ")}.`];
  if (known.length) {
    const [[least, first], [most, last]] = [known[0], known.at(-1)];
    words.push(`${MEASURES[measure]} from ${short(least)} (${layers[first]}) to ${short(most)} (${layers[last]}).`);
  }
  if (odd) words.push(`NaN or infinite in ${odd} of ${layers.length} layers.`);
  if (frozen) words.push(`${frozen} of ${layers.length} layers frozen: relative update under 1e-6.`);
  if (run.bad) words.push(firstBad(run.bad));
  return words.join(" ");
}

function firstBad({ layer, step, what, where }) {
  if (where === "forward pass") return `${what} in the forward pass, first in ${layer}, step ${step}.`;
  return `First ${what} gradient: ${layer}, step ${step}.`;
}

function timeLeft(seconds) {
  if (seconds === null) return "";
  if (seconds < 90) return `; about ${Math.max(1, Math.round(seconds))} s left`;
  return seconds < 5400 ? `; about ${Math.round(seconds / 60)} min left` : `; about ${Math.round(seconds / 3600)} h left`;
}

// ---------------------------------------------------------------- colours and axes

// Viridis: its lightness rises evenly, in print and for any colour vision.
const VIRIDIS = [
  [68, 1, 84], [71, 44, 122], [59, 81, 139], [44, 113, 142], [33, 144, 141], [39, 173, 129], [92, 200, 99],
  [170, 220, 50], [253, 231, 37],
];
const WHITE = [255, 255, 255], VERMILION = [213, 94, 0];

function colour(x, { low, high }) {
  if (x === -Infinity) return WHITE;
  if (x === null) return VERMILION;
  const place = ((x - low) / (high - low)) * (VIRIDIS.length - 1);
  const stop = Math.min(VIRIDIS.length - 2, Math.max(0, Math.floor(place))), share = Math.min(1, Math.max(0, place - stop));
  return VIRIDIS[stop].map((one, at) => Math.round(one + share * (VIRIDIS[stop + 1][at] - one)));
}

/** The decades that the shown columns span, and whether some have none: {low, high, zero, odd}. */
function domain(shown, measure) {
  const found = { low: Infinity, high: -Infinity, zero: false, odd: false };
  for (const { run, strip, columns } of shown) {
    for (let column = 0; column < columns; column++) {
      for (const code of strip.column(column, measure)) {
        const x = decades(code, run.scale);
        if (x === null) found.odd = true;
        else if (x === -Infinity) found.zero = true;
        else {
          found.low = Math.min(found.low, x);
          found.high = Math.max(found.high, x);
        }
      }
    }
  }
  if (found.low === Infinity) Object.assign(found, { low: 0, high: 0 });
  if (found.high - found.low < 0.1) Object.assign(found, { low: found.low - 0.5, high: found.high + 0.5 });
  return found;
}

/** At most `most` round numbers within the ends. */
function ticks(low, high, most) {
  const raw = (high - low) / most, size = 10 ** Math.floor(Math.log10(raw));
  const step = [1, 2, 5, 10].map((one) => one * size).find((one) => one >= raw * 0.999);
  const first = Math.ceil(low / step - 1e-9), count = Math.floor(high / step + 1e-9) - first + 1;
  return Array.from({ length: count }, (_, at) => Number(((first + at) * step).toPrecision(6)));
}

/** Whole decades, at most `most` of them. */
function decadeTicks(low, high, most) {
  const every = Math.max(1, Math.ceil((Math.floor(high) - Math.ceil(low) + 1) / most));
  const first = Math.ceil(Math.ceil(low) / every) * every;
  return Array.from({ length: Math.max(0, Math.floor((high - first) / every) + 1) }, (_, at) => first + at * every);
}

const decadeText = (x) => (x >= -2 && x <= 3 ? `${Number((10 ** x).toPrecision(2))}` : short(x).replace(".0e", "e"));

/** Where a log axis has its marks, and their texts: at whole decades, or closer where there are not two. */
function logMarks(low, high) {
  const whole = decadeTicks(low, high, 4);
  const decade = Math.floor(low), close = [0, 1].flatMap((at) => [1, 1.5, 2, 3, 5, 7].map((one) => decade + at + Math.log10(one)));
  const marks = whole.length > 1 ? whole : close.filter((x) => x >= low && x <= high);
  return (marks.length > 1 ? marks : [low, high]).map((x) => [x, decadeText(x)]);
}
const stepText = (x) => (x >= 10_000 ? `${x / 1000}k` : `${x}`);

const words = (x, y, text, anchor = "middle") => make("text", { x, y, "text-anchor": anchor }, [text]);
const line = (x1, y1, x2, y2, kind = "line") => make("line", { class: kind, x1, y1, x2, y2 });

/** The frame of a picture: where a step and a value stand in it. */
function frameOf(width, height, extent, low, high, left) {
  const box = { left, right: width - 16, top: 8, bottom: height - 36 };
  return {
    ...box, extent, low, high, width, height,
    x: (step) => box.left + (step / extent) * (box.right - box.left),
    y: (value) => box.bottom - ((value - low) / (high - low)) * (box.bottom - box.top),
  };
}

function drawSteps(frame) {
  return [
    ...ticks(0, frame.extent, Math.max(2, Math.floor((frame.right - frame.left) / 70))).map((step) =>
      make("g", {}, [
        line(frame.x(step), frame.bottom, frame.x(step), frame.bottom + 4, "tick"),
        words(frame.x(step), frame.bottom + 17, stepText(step)),
      ])),
    words((frame.left + frame.right) / 2, frame.bottom + 32, "step"),
  ];
}

// ---------------------------------------------------------------- pictures

const MAP_HEIGHT = 236, CHART_HEIGHT = 158;

/** Paints the columns of a strip on a canvas, a pixel a cell, and stretches them over the frame. */
function paint(canvas, { run, strip, columns }, measure, scaleEnds, frame) {
  const layers = run.layers.length, cells = new ImageData(columns, layers);
  for (let column = 0; column < columns; column++) {
    strip.column(column, measure).forEach((code, layer) => {
      cells.data.set([...colour(decades(code, run.scale), scaleEnds), 255], 4 * (layer * columns + column));
    });
  }
  const small = make("canvas", { width: columns, height: layers });
  small.getContext("2d").putImageData(cells, 0, 0);
  const ratio = window.devicePixelRatio || 1, wide = frame.right - frame.left, high = frame.bottom - frame.top;
  Object.assign(canvas, { width: Math.round(wide * ratio), height: Math.round(high * ratio) });
  Object.assign(canvas.style, { left: `${frame.left}px`, top: `${frame.top}px`, width: `${wide}px`, height: `${high}px` });
  const context = canvas.getContext("2d");
  context.imageSmoothingEnabled = false;
  const filled = Math.min(canvas.width, (columns * run.width(strip) * canvas.width) / frame.extent);
  context.drawImage(small, 0, 0, filled, canvas.height);
}

function drawLayers(frame, layers) {
  const y = (layer) => frame.top + ((layer - 0.5) / layers) * (frame.bottom - frame.top);
  const inner = ticks(1, layers, 5).filter((layer) => Number.isInteger(layer) && layer > 1 && layers - layer > layers / 10);
  return [1, ...inner, ...(layers > 1 ? [layers] : [])].map((layer) => make("g", {}, [
    line(frame.left - 4, y(layer), frame.left, y(layer), "tick"), words(frame.left - 7, y(layer) + 4.5, `${layer}`, "end"),
  ]));
}

/** The colours of the heat maps: a bar with its decades, and the cells that have none. */
function drawScale(width, ends) {
  const left = 12, right = Math.min(width - 12, 330), steps = 64, { low, high } = ends;
  const x = (value) => left + ((value - low) / (high - low)) * (right - left);
  const bar = Array.from({ length: steps }, (_, at) => make("rect", {
    x: left + (at * (right - left)) / steps, y: 4, width: (right - left) / steps + 0.5, height: 12,
    fill: `rgb(${colour(low + ((at + 0.5) / steps) * (high - low), ends)})`,
  }));
  const whole = decadeTicks(low, high, 6);
  const marks = whole.length > 1 ? whole : [low, high];
  const labels = marks.flatMap((value) => [
    line(x(value), 16, x(value), 20, "tick"),
    words(Math.max(16, Math.min(width - 16, x(value))), 33, decadeText(value)),
  ]);
  const narrow = width < 560, places = narrow ? [[12, 44], [120, 44]] : [[right + 24, 4], [right + 130, 4]];
  const odd = [[ends.zero, WHITE, "exactly 0"], [ends.odd, VERMILION, "NaN or infinite"]].filter(([there]) => there);
  const cells = odd.flatMap(([, fill, text], at) => [
    make("rect", { class: "cell", x: places[at][0], y: places[at][1], width: 12, height: 12, fill: `rgb(${fill})` }),
    words(places[at][0] + 18, places[at][1] + 11, text, "start"),
  ]);
  return { height: narrow && odd.length ? 62 : 38, drawn: [...bar, ...labels, ...cells] };
}

/**
 * A chart of lines by step. A line has `xs` and `ys`, in units of the axis; `low` and `high`, if there,
 * are the edges of its band. What an axis cannot hold stands at its edge: -Infinity at the foot,
 * null at the head.
 */
function drawChart(frame, lines, marks, guide = null) {
  const drawn = [
    ...marks.map(([value, text]) => make("g", {}, [
      line(frame.left, frame.y(value), frame.right, frame.y(value)), words(frame.left - 5, frame.y(value) + 4.5, text, "end"),
    ])),
    ...drawSteps(frame),
  ];
  if (guide !== null) drawn.push(line(frame.left, frame.y(guide), frame.right, frame.y(guide), "guide"));
  return [...drawn, ...lines.map((one) => make("g", { class: `run-${one.style}` }, [
    ...(one.low ? [make("path", { class: "band", d: bandPath(frame, one) })] : []),
    make("path", { class: "curve", d: linePath(frame, one) }),
    ...one.xs.flatMap((step, at) => (Number.isFinite(one.ys[at]) ? [] : [edgeMark(frame, step, one.ys[at])])),
  ]))];
}

const inside = (frame, value) => Math.max(frame.low, Math.min(frame.high, value));

function linePath(frame, { xs, ys }) {
  let pen = "M";
  return xs.map((step, at) => {
    if (!Number.isFinite(ys[at])) {
      pen = "M";
      return "";
    }
    const piece = `${pen}${frame.x(step).toFixed(1)} ${frame.y(inside(frame, ys[at])).toFixed(1)}`;
    pen = "L";
    return piece;
  }).join("");
}

function bandPath(frame, { xs, low, high }) {
  const edge = (values) => xs.map((step, at) => `${frame.x(step).toFixed(1)} ${frame.y(inside(frame, values[at])).toFixed(1)}`);
  return xs.length ? `M${edge(high).join("L")}L${edge(low).reverse().join("L")}Z` : "";
}

function edgeMark(frame, step, value) {
  const x = frame.x(step), [y, tip] = value === -Infinity ? [frame.bottom - 7, 6] : [frame.top + 7, -6];
  return make("path", { class: "odd", d: `M${x - 4} ${y}L${x + 4} ${y}L${x} ${y + tip}Z` });
}
