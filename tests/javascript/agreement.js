// Differentiate networks with the weights that a test hands over, and print their norms: called by
// tests/gradients/test_browser_engine.py with the program and a file of cases.

import { readFileSync } from "node:fs";
import { opened } from "../../resnet_lesson/widgets/engine/program.js";
import { Stack } from "../../resnet_lesson/widgets/engine/stack.js";

const [program, file, digits, real] = process.argv.slice(2);
const Real = real === "double" ? Float64Array : Float32Array;
const bytes = Uint8Array.from(readFileSync(program));
const stack = new Stack(await opened(bytes, readFileSync(digits)));
const { exports } = stack;
const { memory } = exports;
const doubles = (path) => new Float64Array(Uint8Array.from(readFileSync(path)).buffer);
const put = (at, values) => new Real(memory.buffer, at, values.length).set(values);
// Each takes more than those before it, so that none is there before it is asked for.
const QUANTITIES = ["signal", "signal_gradient", "weight_gradient"];

for (const { folder, setting, shortcut_only } of JSON.parse(readFileSync(file, "utf-8"))) {
  put(exports.weights(), doubles(`${folder}/weights`));
  put(exports.inputs(), doubles(`${folder}/inputs`));
  put(exports.readout(), doubles(`${folder}/readout`));
  new Int32Array(memory.buffer, exports.labels(), 128).set(doubles(`${folder}/labels`));
  const norms = QUANTITIES.map((quantity) =>
    stack.differentiate({ ...setting, quantity }, shortcut_only).map(String),
  );
  console.log(JSON.stringify(norms.reverse()));
}
