// What the package's Python has, too: `make bundles` writes the file from there.

import constants from "./constants.json" with { type: "json" };

export const { explorer, odd, order, panel } = constants;
