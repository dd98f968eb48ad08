// What the network still knows, in words.

import assert from "node:assert/strict";
import { test } from "node:test";
import { favourite, found, indexOf } from "../../resnet_lesson/widgets/lesions/words.js";

const MODULES = ["stage1_unit1", "stage1_unit2", "stage2_unit1"];

test("a set of modules is a number, the first module its highest digit", () => {
  assert.deepEqual([indexOf(MODULES, []), indexOf(MODULES, MODULES)], [0, 7]);
  assert.equal(indexOf(MODULES, ["stage2_unit1"]), 1);
  assert.equal(indexOf(MODULES, ["stage2_unit1", "stage1_unit1"]), 5);
});

test("what is found is said beside the whole network", () => {
  assert.equal(
    found([], 1960, 1960, 2000),
    "The whole network classifies 98.0 % of the 2,000 test images correctly.",
  );
  assert.equal(
    found(["stage1_unit2", "stage2_unit1"], 500, 1960, 2000),
    "Without module 2 of stage 1 and module 1 of stage 2, " +
      "the accuracy is 25.0 % instead of 98.0 %.",
  );
});

test("of more than two, the picture says which", () => {
  assert.equal(
    found(MODULES, 500, 1960, 2000),
    "Without 3 modules, the accuracy is 25.0 % instead of 98.0 %.",
  );
});

test("an answer is named once it has swallowed more than half", () => {
  assert.equal(favourite([1000, 1000], ["cat", "ship"], 2000), "");
  assert.equal(
    favourite([800, 1200], ["cat", "ship"], 2000),
    " The answer is “ship” for 60.0 % of the images.",
  );
});
