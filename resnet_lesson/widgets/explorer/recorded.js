// ---------------------------------------------------------------- curves computed beforehand

const SETTING = ["kind", "order", "activation", "initializer", "normalization", "shortcut"];

/** The grid, unpacked: its codes as a view, and the word for each code that has one. */
async function readGrid(packed) {
  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes(packed)]).stream().pipeThrough(new DecompressionStream("gzip"));
  const grid = await new Response(stream).json();
  const words = Object.fromEntries(Object.entries(grid.words).map(([word, code]) => [code, word]));
  return { ...grid, codes: new DataView(bytes(grid.codes).buffer), words };
}

/** What the grid has for a setting that it holds: {curve, described}. */
function lookUp(grid, setting) {
  const place = grid.settings.indexOf(SETTING.map((name) => setting[name]).join(","));
  const deep = grid.depths.indexOf(setting.depth);
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

/**
 * The recorded setting nearest to the one that is wanted. What the reader has just changed stays
 * as they want it, and a depth moves on in the direction in which they moved it.
 */
function nearestRecorded(grid, wanted, before) {
  const price = (name) => (wanted[name] === before[name] ? 1 : SETTING.length);
  const cost = (values) => SETTING.reduce(
    (sum, name, at) => sum + (String(wanted[name]) === values[at] ? 0 : price(name)), 0);
  const best = grid.settings.map((key) => key.split(","))
    .reduce((best, values) => (cost(values) < cost(best) ? values : best));
  const recorded = Object.fromEntries(SETTING.map((name, at) =>
    [name, typeof wanted[name] === "boolean" ? best[at] === "true" : best[at]]));
  return { ...wanted, ...recorded, seed: 0, depth: nearestDepth(grid.depths, wanted.depth, before.depth) };
}

function nearestDepth(depths, depth, before) {
  const ahead = depths.filter((one) => (depth > before ? one > before : one < before));
  const among = ahead.length && depth !== before ? ahead : depths;
  return among.reduce((best, one) => (Math.abs(one - depth) < Math.abs(best - depth) ? one : best));
}

// ---------------------------------------------------------------- words

function sentence({ subjects, sentences, endings }, described, quantity) {
  const said = [sentences[described.shape],
    ...Object.keys(endings).filter((name) => described[name]).map((name) => endings[name])].join("");
  const filled = said.replace(/\{(\w+)\}/g, (_, name) => described[name]);
  return `${subjects[quantity]} ${filled}.`;
}

/** The setting in words. */
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
