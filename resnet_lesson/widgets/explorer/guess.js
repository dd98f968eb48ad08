// ---------------------------------------------------------------- guessing

// A guess is a curve of two numbers, both in decades: `end`, from where the gradient sets out (for
// the signal: from the input) to where it ends up, and `bend`, half-way above the straight line.
const GUESS_AXIS = [-45, 15]; // float32 ends at its lower end
const GUESS_STEP = 0.5, GUESS_PAGE = 5;
const GUESSED = [...SETTING, "depth", "quantity"]; // what it is a guess of

const forward = (setting) => setting.quantity === "signal";
const farEnd = (setting) => (forward(setting) ? "at the last layer" : "at the first layer");
const rounded = (decades) => Math.round(10 * decades) / 10;
const isOf = (guess, setting) => GUESSED.every((name) => guess.setting?.[name] === setting[name]);

/** Decades, a share t of the way from where it sets out. */
const guessedAt = ({ end, bend }, t) => end * t + 4 * bend * t * (1 - t);

/** Layer by the share of the way that lies behind. */
function layerAt(t, setting) {
  return 1 + (forward(setting) ? t : 1 - t) * (setting.depth - 1);
}

/** The decade of a measured value: nothing is smaller than float32's smallest; null above all. */
function decade(value) {
  if (value === "zero") return GUESS_AXIS[0];
  return typeof value === "number" ? value : null;
}

/** Measured decades by share of the way, from where it sets out, which is `start`. */
function measured(curve, setting) {
  const points = curve.layers.map((layer, at) => {
    const t = (layer - 1) / Math.max(1, setting.depth - 1);
    return { t: forward(setting) ? t : 1 - t, value: decade(curve.values[at]) };
  }).sort((one, other) => one.t - other.t);
  const start = points[0].value ?? 0;
  return { start, points: points.map(({ t, value }) => ({ t, fallen: value === null ? null : value - start })) };
}

function guessCurve(guess, curve, setting) {
  const { start } = measured(curve, setting);
  const steps = Math.min(40, setting.depth - 1);
  const shares = Array.from({ length: steps + 1 }, (_, at) => (steps ? at / steps : 0));
  const drawn = shares.map((t) => [layerAt(t, setting), start + guessedAt(guess, t)]);
  drawn.sort(([one], [other]) => one - other);
  return { layers: drawn.map(([layer]) => layer), values: drawn.map(([, value]) => value) };
}

/** In words for who cannot see the handle. */
function handleWords(name, decades) {
  const size = `${Math.abs(decades)} decades`;
  if (name === "bend") {
    return decades === 0 ? "straight" : `${size} ${decades > 0 ? "above" : "below"} the straight line`;
  }
  return decades === 0 ? "as large as where it sets out" : `${size} ${decades > 0 ? "larger" : "smaller"}`;
}

/** The factor of one layer, on average, that falls by m decades over all of them. */
const perLayer = ({ m, depth }) => `${(10 ** (m / (depth - 1))).toPrecision(2)}x a layer on average`;

// What a reader who misses by more than a decade may have believed. The first that fits is named:
// g and m are the guessed and the measured end, off is how far half-way misses, back says that it is
// about a gradient.
const MISCONCEPTIONS = [
  [({ g, m }) => m < -3 && g > m / 3 && g <= 1,
    (it) => `“Every layer takes a little away.” Every layer takes a share, and shares multiply: here ${perLayer(it)}, ${it.depth - 1} times over.`],
  [({ g, m, zero }) => m < -3 && !zero && g < 1.5 * m - 3,
    (it) => `“In a deep network nothing arrives.” Something does: ${perLayer(it)} leaves 1e${Math.round(it.m)} of it after ${it.depth - 1}.`],
  [({ zero, g }) => zero && g > GUESS_AXIS[0] + 10,
    () => "“A number can always be a little smaller.” In 32 bits it cannot: below 1e-45 there is only zero, and no learning rate brings it back."],
  [({ g, m, back, normalization, shortcut }) => back && m > 1 && g < m - 1 && normalization && !shortcut,
    () => "“BN keeps everything in bounds.” It holds the signal at one scale on the way forward; on the way back the gradient of this plain stack grows."],
  [({ g, m, back, shortcut }) => back && m > 1 && Math.abs(g) < 1 && shortcut,
    () => "“The +1 makes the gradient constant.” The 1 brings it back whole, and every branch adds its own on top."],
  [({ g, m }) => m > 1 && g < -1,
    () => "“Deeper means smaller.” Here every layer hands on more than it was given."],
  [({ g, m }) => Math.abs(m) <= 1 && Math.abs(g) > 2,
    () => "“Depth alone decides.” The factor of a single layer decides, and with this start it is near one."],
  [({ g, m, off }) => Math.abs(g - m) <= Math.max(1, Math.abs(m) / 5) && Math.abs(off) > 1.5,
    () => "“It fades in one part of the network.” Look at the shape: a straight line means that every layer takes the same share."],
];

/** How far the guess is off, and what its author may have believed. */
function verdict(guess, curve, setting) {
  const { points } = measured(curve, setting);
  const known = points.filter(({ fallen }) => fallen !== null);
  const last = points.at(-1).fallen;
  if (last === null) return `What was measured overflows ${farEnd(setting)}: no distance can be given.`;
  const miss = rounded(Math.abs(guess.end - last));
  const mean = rounded(known.reduce((sum, { t, fallen }) =>
    sum + Math.abs(guessedAt(guess, t) - fallen), 0) / known.length);
  const far = curve.layers.indexOf(forward(setting) ? setting.depth : 1);
  const zero = curve.values[far] === "zero";
  const middle = known.reduce((best, one) => (Math.abs(one.t - 0.5) < Math.abs(best.t - 0.5) ? one : best));
  const about = {
    ...setting, g: guess.end, m: last, zero, back: !forward(setting),
    off: guessedAt(guess, middle.t) - middle.fallen,
  };
  const said = `Your guess is ${zero ? "at least " : ""}${miss} decades off ${farEnd(setting)}, ${mean} on average.`;
  if (miss <= 1 && mean <= 1) return `${said} Within a decade.`;
  const believed = MISCONCEPTIONS.find(([fits]) => fits(about));
  return believed ? `${said} A common belief: ${believed[1](about)}` : said;
}

/** What a class guessed, in a sentence. */
function classWords(guesses, curve, setting) {
  const ends = guesses.filter((guess) => isOf(guess, setting)).map(({ end }) => end).sort((a, b) => a - b);
  if (ends.length === 0) {
    const others = [...new Set(guesses.map((guess) => label(guess.setting)))].join("; ");
    return `None of the ${guesses.length} opened guesses is of this network. They are of: ${others}.`;
  }
  const middle = (ends[Math.floor((ends.length - 1) / 2)] + ends[Math.ceil((ends.length - 1) / 2)]) / 2;
  const [least, most, median] = [ends[0], ends.at(-1), middle].map((end) => `1e${rounded(end)}`);
  const last = measured(curve, setting).points.at(-1).fallen;
  const found = last === null ? "it overflows" : `it is 1e${rounded(last)}`;
  return `${ends.length} opened guesses: ${farEnd(setting)} from ${least} to ${most} of where it sets out, `
    + `the median ${median}; measured, ${found}.`;
}

// ---------------------------------------------------------------- guesses in files

const GUESS_FILE = "resnet-lesson guess";

const guessText = (guess) => JSON.stringify({ file: GUESS_FILE, ...guess }, null, 1);

/** The guess of a file's text; an error says what is wrong. */
function readGuess(text) {
  let read;
  try {
    read = JSON.parse(text);
  } catch {
    throw new Error("is not JSON");
  }
  if (read?.file !== GUESS_FILE) throw new Error(`is no saved guess: "file" must be "${GUESS_FILE}"`);
  const { setting, end, bend } = read;
  const whole = [end, bend].every(Number.isFinite) && GUESSED.every((name) => name in (setting ?? {}));
  if (!whole) throw new Error(`must hold end, bend and setting with ${GUESSED.join(", ")}`);
  return { setting, end, bend };
}

function download(name, text) {
  const address = URL.createObjectURL(new Blob([text], { type: "application/json" }));
  make("a", { href: address, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(address));
}
