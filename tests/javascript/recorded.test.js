// The curves that come along: decoding, the nearest recorded setting, and their words, which are
// Python's (curves.json, which tests/widgets/test_shared.py holds to it).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { describe } from "../../resnet_lesson/widgets/chart/trends.js";
import * as recorded from "../../resnet_lesson/widgets/explorer/recorded.js";
import {
  GUESSED,
  label,
  NAMES,
  SETTING,
  TRAITS,
} from "../../resnet_lesson/widgets/explorer/setting.js";
import { GridSource, PageSource } from "../../resnet_lesson/widgets/explorer/sources.js";

const file = (path) => readFileSync(new URL(`../../${path}`, import.meta.url));
const packed = gzipSync(file("resnet_lesson/widgets/explorer/grid.json")).toString("base64");
const grid = await recorded.readGrid(packed);
const { words, curves, described } = JSON.parse(file("tests/widgets/curves.json"));
const FIRST = curves[0].setting;

test("labels, curves and sentences are Python's", () => {
  const source = new GridSource(grid, words);
  assert.ok(curves.length > 8);
  for (const { setting, label: named, values, sentence, curve_label } of curves) {
    assert.equal(label(setting), named);
    const answer = source.ask(setting, setting);
    assert.deepEqual(answer.curve.values, values);
    assert.equal(answer.curve.label, curve_label);
    const { seen, how } = recorded.sentences(words, answer.described, setting.quantity);
    assert.equal(`${seen} ${how}`.trim(), sentence);
    assert.deepEqual(answer.setting, setting);
    assert.match(answer.note, /^These curves were computed beforehand/);
  }
});

test("norms of all shapes are described as Python describes them", () => {
  const special = { zero: 0, infinite: Number.POSITIVE_INFINITY, undefined: Number.NaN };
  assert.ok(new Set(described.map((one) => one.described.shape)).size > 6);
  for (const { logarithms, quantity, described: wanted } of described) {
    const norms = logarithms.map((value) => special[value] ?? 10 ** value);
    assert.deepEqual(describe(norms, quantity), wanted);
  }
});

test("dense layers are computed, others looked up", async () => {
  const engine = { norms: async () => [0, 1e-3, Number.NaN], stop() {} };
  const page = new PageSource(grid, words, engine);
  const { setting, curve } = await page.ask({ ...FIRST, depth: 3, seed: 1 }, FIRST);
  assert.deepEqual(curve.values, ["zero", -3, "undefined"]);
  assert.match(curve.label, /draw 2 of your browser$/);
  assert.ok(curve.page && curve.setting === setting && page.redraws("dense"));
  const looked = page.ask({ ...FIRST, kind: "convolution" }, FIRST);
  assert.ok(!looked.curve.page && !page.redraws("convolution"));
  const forbidden = { norms: () => Promise.reject(new Error("no WebAssembly")) };
  const { failed } = await new PageSource(grid, words, forbidden).ask(FIRST, FIRST);
  assert.match(failed, /cannot compute: Error: no WebAssembly/);
});

test("what was not recorded of a module is computed with dense layers", async () => {
  const settings = grid.settings.filter((key) => !key.startsWith("dense,")); // as they travel
  const engine = { norms: async () => [1, 1], stop() {} };
  const page = new PageSource({ ...grid, settings }, words, engine);
  const shown = { ...FIRST, kind: "convolution", activation: "relu", initializer: "he", depth: 50 };
  const { setting, note } = await page.ask({ ...shown, activation: "tanh" }, shown);
  assert.deepEqual([setting.kind, setting.activation], ["dense", "tanh"]);
  assert.match(note, /dense layers only/);
  assert.equal(page.ask({ ...shown, normalization: true }, shown).setting.kind, "convolution");
});

test("each of Python's traits has a control, but for the seed, which a button draws", () => {
  assert.deepEqual([...Object.keys(NAMES), "seed"].sort(), [...TRAITS].sort());
  for (const names of [SETTING, GUESSED]) assert.ok(names.every((name) => TRAITS.includes(name)));
});

test("codes are 16 bits, the low byte first; words have codes of their own", async () => {
  const codes = Buffer.alloc(6);
  for (const [at, code] of [-250, 7, -32768].entries()) codes.writeInt16LE(code, 2 * at);
  const small = {
    choices: { quantity: ["signal"] },
    depths: [3],
    layers: 3,
    steps: 100,
    words: { zero: -32768 },
    settings: ["a,b,c,d,true,false"],
    codes: codes.toString("base64"),
    descriptions: [{ shape: "level" }],
    described: [0],
  };
  const read = await recorded.readGrid(gzipSync(JSON.stringify(small)).toString("base64"));
  const setting = {
    kind: "a",
    order: "b",
    activation: "c",
    initializer: "d",
    normalization: true,
    shortcut: false,
    depth: 3,
    quantity: "signal",
    seed: 0,
  };
  const { curve, described } = recorded.lookUp(read, setting);
  assert.deepEqual(curve, { layers: [1, 2, 3], values: [-2.5, 0.07, "zero"] });
  assert.equal(described.shape, "level");
});

test("the layers that are kept have both ends, and halves go to the even one", () => {
  assert.deepEqual(recorded.keptLayers(1, 10), [1]);
  assert.deepEqual(recorded.keptLayers(5, 10), [1, 2, 3, 4, 5]);
  assert.deepEqual(recorded.keptLayers(6, 3), [1, 4, 6]); // 3.5
  assert.deepEqual(recorded.keptLayers(4, 3), [1, 2, 4]); // 2.5
  assert.deepEqual(recorded.keptLayers(100, 10), [1, 12, 23, 34, 45, 56, 67, 78, 89, 100]);
});

test("what the reader has just changed stays as they want it", () => {
  const wanted = { ...FIRST, kind: "basic" };
  const nearest = recorded.nearestRecorded(grid, wanted, FIRST);
  assert.equal(nearest.kind, "basic");
  assert.deepEqual([nearest.activation, nearest.initializer], ["relu", "he"]);
  const { note } = new GridSource(grid, words).ask(wanted, FIRST);
  assert.match(note, /This one only with activation ReLU and starting weights He's\.$/);
});

test("a recorded setting is its own nearest, and other weights are the first ones", () => {
  for (const key of grid.settings) {
    const values = key.split(",").map((value) => ({ true: true, false: false })[value] ?? value);
    const setting = {
      ...FIRST,
      ...Object.fromEntries(SETTING.map((name, at) => [name, values[at]])),
    };
    assert.deepEqual(recorded.nearestRecorded(grid, { ...setting, seed: 4 }, FIRST), setting);
  }
});

test("a depth moves on in the direction in which it was moved", () => {
  const depth = (wanted, before) =>
    recorded.nearestRecorded(grid, { ...FIRST, depth: wanted }, { ...FIRST, depth: before }).depth;
  assert.deepEqual(grid.depths.slice(3, 6), [10, 20, 30]);
  assert.deepEqual([depth(21, 20), depth(19, 20), depth(20, 20)], [30, 10, 20]);
  assert.deepEqual(
    [depth(200, 150), depth(201, 200), depth(1, 2), depth(24, 24)],
    [200, 200, 1, 20],
  );
});
