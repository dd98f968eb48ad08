// What the engine ships, as bytes.

import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";

const ENGINE = new URL("../../resnet_lesson/widgets/engine/", import.meta.url);

export const part = (name) =>
  Uint8Array.from(gunzipSync(readFileSync(new URL(`${name}.gz`, ENGINE))));
