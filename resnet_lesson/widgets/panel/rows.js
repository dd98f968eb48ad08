// The layers of networks as rows, stage by stage: a stage of two networks stands at one height in
// both, though one may have more layers there.

/** @typedef {{name: string, count: number}} Group layers of one stage; "" is none */
/**
 * A stage's place down the side, in rows, and which layers of each network it holds.
 *
 * @typedef {object} Stage
 * @property {string} name "stage 1"; "" for what is in none
 * @property {number} top in rows
 * @property {number} rows
 * @property {{from: number, count: number}[]} layers for each network
 */

/** @param {string} layer @returns {string} */
const stageOf = (layer) => layer.match(/^stage\d+/)?.[0].replace("stage", "stage ") ?? "";

/** @param {string[]} layers @returns {Group[]} */
function groupsOf(layers) {
  /** @type {Group[]} */
  const groups = [];
  for (const name of layers.map(stageOf)) {
    const last = groups.at(-1);
    if (last?.name === name) last.count += 1;
    else groups.push({ name, count: 1 });
  }
  return groups;
}

/**
 * The stages that networks have in common; without such, all is one.
 *
 * @param {string[][]} networks the layers of each
 */
export function stagesOf(networks) {
  let groups = networks.map(groupsOf);
  const sequences = groups.map((one) => JSON.stringify(one.map(({ name }) => name)));
  if (new Set(sequences).size > 1) {
    groups = networks.map(({ length }) => [{ name: "", count: length }]);
  }
  const from = networks.map(() => 0);
  let top = 0;
  return groups[0].map(({ name }, at) => {
    const layers = groups.map((one, which) => {
      const { count } = one[at];
      from[which] += count;
      return { from: from[which] - count, count };
    });
    const rows = Math.max(...layers.map(({ count }) => count));
    top += rows;
    return /** @type {Stage} */ ({ name, top: top - rows, rows, layers });
  });
}

/** How many rows there are. @param {Stage[]} stages */
export const rowsOf = (stages) => stages.reduce((all, { rows }) => all + rows, 0);

/**
 * The layer of a network at this height.
 *
 * @param {Stage[]} stages
 * @param {number} which network
 * @param {number} height in rows
 */
export function layerAt(stages, which, height) {
  const stage = stages.findLast(({ top }) => top <= height) ?? stages[0];
  const { from, count } = stage.layers[which];
  const place = Math.floor(((height - stage.top) / stage.rows) * count);
  return from + Math.max(0, Math.min(count - 1, place));
}

/**
 * Where a layer of a network stands, in rows.
 *
 * @param {Stage[]} stages
 * @param {number} which network
 * @param {number} layer
 */
export function placeOf(stages, which, layer) {
  const stage = stages.findLast(({ layers }) => layers[which].from <= layer) ?? stages[0];
  const { from, count } = stage.layers[which];
  const size = stage.rows / count;
  const top = stage.top + (layer - from) * size;
  return { top, bottom: top + size };
}
