// What a setting is called: labels, short names, and the line of Python that makes it again.

import assert from "node:assert/strict";
import { test } from "node:test";
import { explorer } from "../../resnet_lesson/widgets/chart/constants.js";
import { call, noEffect, shortNames } from "../../resnet_lesson/widgets/explorer/setting.js";

const FIRST = explorer.defaults;
const of = (...changes) => ({ label: "whole", setting: Object.assign({ ...FIRST }, ...changes) });

test("a curve is called by what it changed, the first by what the next one changed", () => {
  const relu = { activation: "relu" };
  const norm = { normalization: true, order: "bn_after_addition" };
  const curves = [of(), of(relu), of(relu, { depth: 100, seed: 2 }), of(relu, norm)];
  assert.deepEqual(shortNames(curves), [
    "sigmoid",
    "ReLU",
    "100 layers, draw 3",
    "order (b), BN, 20 layers, draw 1",
  ]);
  assert.deepEqual(shortNames([of()]), [""]);
  assert.deepEqual(shortNames([{ label: "of an earlier version" }]), ["of an earlier version"]);
});

test("a view is a line of Python", () => {
  assert.equal(call(FIRST, [], []), "GradientExplorer()");
  const view = { ...FIRST, depth: 50, shortcut: true };
  const kept = [of({ depth: 50 }), of({ depth: 7, shortcut: true, activation: "relu" })];
  assert.equal(
    call(view, kept, ["order", "kind"]),
    'GradientExplorer(shortcut=True, depth=50, compare=[{"shortcut": False}, ' +
      '{"activation": "relu", "depth": 7}], hide=["order", "kind"])',
  );
});

test("the order is off where it changes nothing", () => {
  assert.deepEqual(Object.keys(noEffect(FIRST)), ["order"]);
  assert.deepEqual(noEffect({ ...FIRST, shortcut: true }), {});
  assert.deepEqual(noEffect({ ...FIRST, normalization: true }), {});
});
