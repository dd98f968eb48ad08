// What needs no page of the drawing: paths, shades, colours, frames.

import assert from "node:assert/strict";
import { test } from "node:test";
import { frameOf } from "../../resnet_lesson/widgets/chart/axes.js";
import { colourOf, fromHex, ODD, ZERO } from "../../resnet_lesson/widgets/chart/colour.js";
import * as curve from "../../resnet_lesson/widgets/chart/curve.js";
import { domainOf } from "../../resnet_lesson/widgets/chart/heatmap.js";
import { shadeOf } from "../../resnet_lesson/widgets/chart/strip.js";
import { byLayer, colourClass, frameFor } from "../../resnet_lesson/widgets/explorer/picture.js";

test("a line is lifted where a point is missing", () => {
  const path = curve.linePath([[0, 1], [2, 3.26], null, [4, 5], [6, 7]]);
  assert.equal(path, "M0.0 1.0L2.0 3.3M4.0 5.0L6.0 7.0");
  assert.equal(curve.linePath([null, null]), "");
});

test("a band goes along its upper edge and back along its lower one", () => {
  const path = curve.bandPath(
    [
      [0, 1],
      [9, 2],
    ],
    [
      [0, 5],
      [9, 6],
    ],
  );
  assert.equal(path, "M0.0 1.0L9.0 2.0L9.0 6.0L0.0 5.0Z");
  assert.equal(curve.bandPath([], []), "");
});

test("a triangle points out of the frame, at its foot or its head", () => {
  const numbers = (path) => path.match(/[-\d.]+/g).map(Number);
  const frame = { top: 10, bottom: 100 };
  const [, base, , x, tip] = numbers(curve.trianglePath(50, frame, true, 6));
  assert.deepEqual([base, x, tip], [93, 50, 99]);
  const [, low, , , high] = numbers(curve.trianglePath(50, frame, false, 6));
  assert.deepEqual([low, high], [17, 11]);
});

test("a polygon has its corners on a circle, the first on top", () => {
  for (const sides of [3, 4, 5, 6]) {
    const path = curve.polygonPath([20, 30], 10, sides);
    const corners = path
      .slice(1, -1)
      .split("L")
      .map((one) => one.split(" ").map(Number));
    assert.equal(corners.length, sides);
    assert.deepEqual(corners[0], [20, 20]);
    for (const [x, y] of corners) assert.ok(Math.abs(Math.hypot(x - 20, y - 30) - 10) < 0.1);
  }
});

test("a strip is brighter where a value is greater; zero is dark, what overflows is bright", () => {
  const ends = [-30, 0];
  const shades = [-40, -30, -10, 0, 5].map((value) => shadeOf(value, ends));
  assert.deepEqual(shades, [1, 1, 16, 24, 24]);
  assert.deepEqual(
    ["zero", "infinite", "undefined"].map((word) => shadeOf(word, ends)),
    [0, 24, 24],
  );
  assert.equal(shadeOf(0, [0, 0]), 1); // a single value
});

test("layers that a curve leaves out have the value of the one before", () => {
  const kept = { layers: [1, 3, 6], values: [-1, "zero", 2] };
  assert.deepEqual(byLayer(kept, 6), [-1, -1, "zero", "zero", "zero", 2]);
  assert.deepEqual(byLayer({ layers: [1], values: [4] }, 1), [4]);
});

test("colours rise in lightness, and what has no decade has a colour of its own", () => {
  const ends = [-8, 2];
  const luminance = ([red, green, blue]) => 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  const lights = Array.from({ length: 41 }, (_, at) => luminance(colourOf(-8 + at / 4, ends)));
  for (let at = 1; at < lights.length; at++) assert.ok(lights[at] > lights[at - 1]);
  assert.deepEqual(colourOf(-8, ends), [68, 1, 84]);
  assert.deepEqual(colourOf(2, ends), [253, 231, 37]);
  assert.deepEqual(
    [colourOf(-99, ends), colourOf(99, ends)],
    [
      [68, 1, 84],
      [253, 231, 37],
    ],
  );
  assert.deepEqual([colourOf(-Infinity, ends), colourOf(null, ends)], [ZERO, ODD]);
  assert.deepEqual(fromHex("#0a10ff"), [10, 16, 255]);
});

test("the domain of colours has two ends, and knows of what has none", () => {
  assert.deepEqual(domainOf([-3, 1, -2]), { ends: [-3, 1], zero: false, odd: false });
  assert.deepEqual(domainOf([2, 2, null]), { ends: [1.5, 2.5], zero: false, odd: true });
  assert.deepEqual(domainOf([-Infinity]), { ends: [-0.5, 0.5], zero: true, odd: false });
});

test("a frame leads from numbers to places and back", () => {
  const margins = { left: 40, right: 10, top: 5, bottom: 15 };
  const { left, right, top, bottom, x, y, valueAt } = frameOf(
    { width: 200, height: 100 },
    margins,
    [0, 50],
    [-2, 2],
  );
  assert.deepEqual([left, right, top, bottom], [40, 190, 5, 85]);
  assert.deepEqual([x(0), x(50), y(-2), y(2), y(0)], [40, 190, 85, 5, 45]);
  assert.equal(valueAt(y(1.5)), 1.5);
});

test("the explorer's frame holds all its curves and the decades it was told", () => {
  const curves = [
    { layers: [1, 2], values: [-7.5, "zero"] },
    { layers: [1, 4], values: [0.5, 3.2] },
  ];
  const { ends, marks, x, left, right } = frameFor(640, 4, curves, [0, 0]);
  assert.ok(ends[0] <= -7.5 && ends[1] >= 3.2);
  assert.deepEqual([marks[0], marks.at(-1)], ends);
  // Each layer has a cell, and stands in its middle.
  assert.ok(Math.abs(x(1) - left - (right - left) / 8) < 1e-9);
  assert.ok(Math.abs(right - x(4) - (right - left) / 8) < 1e-9);
  assert.deepEqual(frameFor(640, 4, curves, [-45, 15]).marks.at(-1) >= 15, true);
});

test("every pin has a colour, however many there are", () => {
  const classes = Array.from({ length: 9 }, (_, pin) => colourClass(pin));
  assert.deepEqual(classes.slice(5), ["curve-5", "curve-6", "curve-0", "curve-1"]);
  assert.equal(colourClass("guess"), "curve-guess");
});
