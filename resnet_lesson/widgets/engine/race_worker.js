// A worker that trains: it is handed the engine, then what to do.

import { Loop } from "./loop.js";
import { Racer } from "./race.js";

/** @type {Loop} */
let loop;

addEventListener("message", async ({ data }) => {
  try {
    if (!data.program) {
      const act = /** @type {"start" | "pause" | "go"} */ (data.act);
      loop[act](data.settings);
      return;
    }
    const { program, digits } = data;
    const plain = await Racer.open(program, digits);
    const residual = await Racer.open(program, digits);
    loop = new Loop({ plain, residual }, (report) => postMessage({ report }));
    postMessage({});
  } catch (error) {
    postMessage({ error: `${error}` });
  }
});
