// Codes of guesses are Python's (guess_codes.json, which tests/widgets/test_shared.py holds to it).

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { explorer } from "../../resnet_lesson/widgets/chart/constants.js";
import { stamped } from "../../resnet_lesson/widgets/explorer/guess.js";
import { decode, encode, readCodes } from "../../resnet_lesson/widgets/explorer/guess_code.js";
import { GUESSED, pick, valuesOf } from "../../resnet_lesson/widgets/explorer/setting.js";

const file = new URL("../widgets/guess_codes.json", import.meta.url);
const shared = JSON.parse(readFileSync(file));
const SYMBOLS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";

/** Whole numbers below `most`, the same in every run. */
function draws(seed) {
  let state = seed;
  return (most) => {
    state = (1664525 * state + 1013904223) % 2 ** 32;
    return Math.floor((most * state) / 2 ** 32);
  };
}

const wrong = { message: /^has a wrong symbol, or two that changed places/ };

test("codes are Python's", () => {
  assert.ok(shared.guesses.length > 30);
  for (const { guess, code } of shared.guesses) {
    assert.equal(encode(guess), code);
    assert.deepEqual(decode(code).setting, guess.setting);
  }
});

test("lines are read and refused as Python does", () => {
  const read = readCodes(shared.lines.map(({ line }) => line).join("\n"));
  assert.equal(`${read.refused.join(" ")}`, shared.refused);
  const found = shared.lines.filter((one) => one.found && one.line);
  assert.deepEqual(
    read.guesses.map(({ end, bend }) => [end, bend]),
    found.map(() => [-12.5, 1.5]),
  );
});

test("a guess comes back from its code", () => {
  const draw = draws(0);
  for (let round = 0; round < 1000; round++) {
    const setting = pick(GUESSED, (name) => valuesOf(name)[draw(valuesOf(name).length)]);
    const guess = { setting, end: (draw(901) - 450) / 10, bend: (draw(901) - 450) / 10 };
    assert.deepEqual(readCodes(encode(guess)), { guesses: [guess], refused: [] });
  }
});

test("any one wrong symbol and any two that changed places are noticed", () => {
  for (const { code } of shared.guesses) {
    const symbols = [...code.replace("-", "")];
    for (const [at, right] of symbols.entries()) {
      for (const symbol of SYMBOLS.replace(right, "")) {
        assert.throws(() => decode(symbols.with(at, symbol).join("")), wrong);
      }
      for (const [other, its] of symbols.entries()) {
        if (its === right) continue;
        assert.throws(() => decode(symbols.with(at, its).with(other, right).join("")), wrong);
      }
    }
  }
});

test("beyond the handles there is no code", () => {
  const of = (end, bend) => encode(stamped({ end, bend }, explorer.defaults));
  assert.equal(of(45.04, -45), of(45, -45));
  for (const [end, bend] of [
    [45.05, 0],
    [0, -45.1],
    [Number.NaN, 0],
  ]) {
    assert.throws(() => of(end, bend), { message: /at most 45 decades$/ });
  }
});

test("a field without a code says what it is for", () => {
  assert.deepEqual(readCodes(" \n"), { guesses: [], refused: ["Paste a code first."] });
});

test("a wrong column is told by its first lines", () => {
  const { guesses, refused } = readCodes("hello\n".repeat(300));
  assert.equal(guesses.length, 0);
  assert.equal(refused.length, 11);
  assert.equal(refused.at(-1), "And 290 more lines.");
});
