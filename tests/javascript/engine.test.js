// What the engine of the page draws is what it is said to be. What it computes is held to the
// kernel by tests/gradients/test_browser_engine.py.

import assert from "node:assert/strict";
import { test } from "node:test";
import { known, Stack, stepsOf } from "../../resnet_lesson/widgets/engine/stack.js";
import { part } from "./part.js";

const stack = await Stack.open(part("stack.wasm"), part("digits"));
const SETTING = {
  kind: "dense",
  order: "full_preactivation",
  activation: "relu",
  initializer: "he",
  normalization: false,
  shortcut: false,
  depth: 50,
  quantity: "signal_gradient",
  seed: 0,
};
const { memory } = stack.exports;
const numbers = (at, count) => [...new Float32Array(memory.buffer, at, count)];
const weights = (setting) => {
  stack.norms({ ...SETTING, ...setting });
  return numbers(stack.exports.weights(), 64 * 64 * 3);
};
const mean = (values) => values.reduce((sum, value) => sum + value, 0) / values.length;
const deviation = (values) => Math.sqrt(mean(values.map((value) => value ** 2)));

test("steps stand in the order in which a layer takes them", () => {
  const steps = (change) => {
    const { layer, ending } = stepsOf({ ...SETTING, ...change });
    return [layer.toString(16), ending.toString(16)];
  };
  assert.deepEqual(steps({}), ["14", "4"]); // read from right to left: activation, product
  assert.deepEqual(steps({ normalization: true, shortcut: true }), ["2143", "43"]);
  const original = { order: "original", normalization: true, shortcut: true };
  assert.deepEqual(steps(original), ["4231", "0"]);
});

test("a browser without fused products has a program that needs none", async (context) => {
  const programs = part("stack.wasm");
  const fused = known(programs);
  context.mock.method(WebAssembly, "validate", () => false);
  const plain = known(programs);
  assert.equal(4 + fused.length + plain.length, programs.length);
  const other = await Stack.open(programs, part("digits"));
  for (const quantity of ["weight_gradient", "signal_gradient", "signal"]) {
    const [ours, theirs] = [stack, other].map((one) => one.norms({ ...SETTING, quantity }));
    for (const [layer, norm] of ours.entries()) {
      assert.ok(Math.abs(norm / theirs[layer] - 1) < 1e-3, quantity);
    }
  }
});

test("weights have the deviations that their names promise", () => {
  for (const [initializer, wanted] of [
    ["he", Math.sqrt(2 / 64)],
    ["glorot", Math.sqrt(1 / 64)],
    ["small", 0.01],
    ["orthogonal", Math.sqrt(1 / 64)],
  ]) {
    const drawn = weights({ initializer });
    assert.ok(Math.abs(deviation(drawn) / wanted - 1) < 0.02, initializer);
    assert.ok(Math.abs(mean(drawn)) < 0.03 * wanted, initializer);
  }
});

test("orthogonal weights are", () => {
  const drawn = weights({ initializer: "orthogonal" }).slice(0, 64 * 64);
  for (let i = 0; i < 64; i++) {
    for (let j = 0; j <= i; j++) {
      const product = drawn
        .slice(64 * i, 64 * i + 64)
        .reduce((sum, one, k) => sum + one * drawn[64 * j + k], 0);
      assert.ok(Math.abs(product - (i === j)) < 1e-5);
    }
  }
});

test("a seed draws the same again, another seed others, and depth only adds layers", () => {
  const first = weights({ seed: 3, depth: 5 });
  assert.notDeepEqual(weights({ seed: 4, depth: 5 }), first);
  assert.deepEqual(weights({ seed: 3, depth: 200 }), first);
  assert.notDeepEqual(weights({ seed: 3, initializer: "glorot" }), first);
  assert.deepEqual(weights({ seed: 3 }), first);
});

// The first numbers of PCG32 with seed 42 and stream 54 stand in O'Neill's own demonstration
// program; the weights' first two are of seed 0 and stream 2, computed here with big integers.
test("the random numbers are those of PCG32", () => {
  const generator = function* (seed, stream) {
    const [mask, add] = [(1n << 64n) - 1n, (stream << 1n) | 1n];
    let state = 0n;
    const next = () => {
      const old = state;
      state = (old * 6364136223846793005n + add) & mask;
      const shifted = Number((((old >> 18n) ^ old) >> 27n) & 0xffffffffn);
      const turn = Number(old >> 59n);
      return ((shifted >>> turn) | (shifted << (-turn & 31))) >>> 0;
    };
    next();
    state = (state + seed) & mask;
    next();
    while (true) yield next();
  };
  const published = generator(42n, 54n);
  assert.deepEqual(
    [0xa15c02b7, 0x7b47f409, 0xba1d3330].map(() => published.next().value),
    [0xa15c02b7, 0x7b47f409, 0xba1d3330],
  );
  const random = generator(0n, 2n);
  const uniform = () => (random.next().value + 0.5) * 2 ** -31 - 1;
  let [x, y, s] = [0, 0, 1];
  while (s >= 1) {
    [x, y] = [uniform(), uniform()];
    s = x * x + y * y;
  }
  const factor = Math.sqrt((-2 * Math.log(s)) / s) * Math.sqrt(2 / 64);
  const wanted = [Math.fround(x * factor), Math.fround(y * factor)];
  for (const [at, value] of weights({ seed: 0 }).slice(0, 2).entries()) {
    assert.ok(Math.abs(value / wanted[at] - 1) < 1e-6);
  }
});

test("a network alone has the lesson's shapes: sigmoid vanishes, shortcuts with BN stay", () => {
  const share = (change) => {
    const norms = stack.norms({ ...SETTING, ...change });
    return Math.log10(norms[0] / norms.at(-1));
  };
  assert.ok(share({ activation: "sigmoid", initializer: "glorot" }) < -25);
  assert.ok(Math.abs(share({})) < 1);
  assert.ok(share({ normalization: true }) > 2);
  assert.ok(share({ normalization: true, shortcut: true }) < share({ normalization: true }) / 2);
});
