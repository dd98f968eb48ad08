// The engine of the page under node, which answers a line of questions with a line of milliseconds.

import { readFileSync } from "node:fs";
import { createInterface } from "node:readline";
import { Racer } from "../resnet_lesson/widgets/engine/race.js";
import { opened } from "../resnet_lesson/widgets/engine/program.js";
import { Stack } from "../resnet_lesson/widgets/engine/stack.js";

const [stackFile, raceFile, productFile, digitsFile] = process.argv.slice(2);
const bytes = (file) => Uint8Array.from(readFileSync(file));
const digits = bytes(digitsFile);
const stack = await Stack.open(bytes(stackFile), digits);
const racer = await Racer.open(bytes(raceFile), digits);
const product = await opened(bytes(productFile), digits);

/** @param {() => void} act */
function timed(act) {
  const began = performance.now();
  act();
  return performance.now() - began;
}

const ACTS = {
  stack: ({ settings }) => settings.map((setting) => timed(() => stack.norms(setting))),
  race({ network, steps }) {
    racer.begin(network);
    return Array.from({ length: steps }, () => timed(() => racer.step(0.03)));
  },
  product: ({ count, times }) =>
    Array.from({ length: times }, () => timed(() => product.products(count))),
};

for await (const line of createInterface({ input: process.stdin })) {
  const question = JSON.parse(line);
  console.log(JSON.stringify(ACTS[question.act](question)));
}
