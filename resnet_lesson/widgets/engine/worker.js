// A worker that differentiates: it is handed the engine, then one setting after the other.

import { Stack } from "./stack.js";

/** @type {Promise<Stack>} */
let opened;

addEventListener("message", async ({ data }) => {
  try {
    if (data.program) opened = Stack.open(data.program, data.digits);
    const stack = await opened;
    postMessage({ number: data.number, norms: data.setting && stack.norms(data.setting) });
  } catch (error) {
    postMessage({ number: data.number, error: `${error}` });
  }
});
