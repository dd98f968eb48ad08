// The builder's arithmetic is Python's: both give what is in networks.json, this side here and the
// other in tests/widgets/test_shared.py.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  buildCall,
  networkParts,
  Refused,
} from "../../resnet_lesson/widgets/builder/arithmetic.js";
import { mapsInWords, summary } from "../../resnet_lesson/widgets/builder/words.js";

const file = new URL("../widgets/networks.json", import.meta.url);
const { words, built, refused } = JSON.parse(readFileSync(file));

test("what can be built has Python's parts, call and summary", () => {
  assert.ok(built.length >= 12);
  for (const { network, parts, call, summary: said } of built) {
    const found = networkParts(network, words);
    assert.deepEqual(found, parts);
    assert.equal(buildCall(network), call);
    assert.equal(summary(found), said);
  }
});

test("what cannot be built is refused in Python's words", () => {
  assert.ok(refused.length >= 12);
  for (const { network, message } of refused) {
    assert.throws(
      () => networkParts(network, words),
      (error) => error instanceof Refused && error.message === message,
      message,
    );
  }
});

test("the picture is told by its maps", () => {
  const [{ parts }] = built;
  assert.match(
    mapsInWords(parts),
    /^Feature maps to scale: stem 64 by 64 by 64, pooled 32 by 32 by 64,/,
  );
});
