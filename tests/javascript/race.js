// Train networks of the page for some steps, and print a line for each: what it was, and what
// became of it. Called by tests/training/test_browser_race.py with the program, the digits and what
// to do.

import { readFileSync } from "node:fs";
import { Racer } from "../../resnet_lesson/widgets/engine/race.js";

const [program, digits, real, settings] = process.argv.slice(2);
const { networks, rate, steps, parameters } = JSON.parse(settings);
const racer = await Racer.open(Uint8Array.from(readFileSync(program)), readFileSync(digits));
const { memory, ...exports } = racer.exports;
const Real = real === "double" ? Float64Array : Float32Array;
const now = () => [...new Real(memory.buffer, exports.parameters(), parameters)];

for (const network of networks) {
  racer.begin(network);
  const [before, taken, orders] = [now(), [], []];
  for (let step = 0; step < steps; step++) {
    taken.push(racer.step(rate));
    if (step % 20 === 0) orders.push([...new Int32Array(memory.buffer, exports.chosen(), 1280)]);
  }
  console.log(JSON.stringify({ before, taken, orders, after: now() }));
}
