// The builder's arithmetic is Python's: both give what is in networks.json, this side here and the
// other in tests/widgets/test_shared.py.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  buildCall,
  mostStages,
  networkParts,
  Refused,
  viewCall,
} from "../../resnet_lesson/widgets/builder/arithmetic.js";
import {
  counted,
  partName,
  refusal,
  sizeOf,
  stagesUsedUp,
  summary,
} from "../../resnet_lesson/widgets/builder/words.js";
import { filled } from "../../resnet_lesson/widgets/chart/words.js";

const file = new URL("../widgets/networks.json", import.meta.url);
const { rules, built, refused } = JSON.parse(readFileSync(file));
const example = built[0].network;

/** What refuses a network. */
function refusing(network) {
  try {
    networkParts(network);
  } catch (error) {
    assert.ok(error instanceof Refused);
    return error;
  }
  assert.fail("it was built");
}

/** What a reader is told of the example, so changed. */
const told = (change) => refusal(refusing({ ...example, ...change }));

test("what can be built has Python's parts, call and summary", () => {
  assert.ok(built.length >= 12);
  for (const { network, parts, call, summary: said } of built) {
    const found = networkParts(network);
    assert.deepEqual(found, parts);
    assert.equal(buildCall(network), call);
    assert.equal(summary(found), said);
  }
});

test("what cannot be built breaks the rule that Python names", () => {
  assert.ok(refused.length >= 12);
  for (const { network, message } of refused) {
    const { rule, values } = refusing(network);
    assert.equal(filled(rules[rule], values), message);
  }
});

test("a reader is told in words of the page, not in those of Python", () => {
  assert.equal(
    told({ filters: [64, 128, 130, 512] }),
    "The number of filters of stage 2 must be one that can be divided by 4, such as 128 or 132.",
  );
  assert.equal(
    told({ filters: [64, 2, 256, 512] }),
    "The number of filters of stage 1 must be one that can be divided by 4, such as 4 or 8.",
  );
  assert.equal(
    told({ stages: [3, null, 6] }),
    "The number of modules of stage 2 must be a whole number from 1 to 1,000,000.",
  );
  assert.equal(
    told({ filters: [2.5, 128, 256, 512] }),
    "The number of filters of the stem must be a whole number from 1 to 1,000,000.",
  );
  assert.equal(
    told({ classes: 0 }),
    "The number of classes must be a whole number from 1 to 1,000,000.",
  );
  assert.equal(
    told({ width: 4 }),
    "The image's width must be at least 5 pixels: this network halves it 3 times.",
  );
  for (const { network } of refused) {
    assert.doesNotMatch(refusal(refusing(network)), /[[\]]|undefined|null|filters\[/);
  }
});

test("a view is copied as the line of Python that makes it", () => {
  for (const { network, view } of [...built, ...refused]) assert.equal(viewCall(network), view);
  assert.equal(
    viewCall({ picked: "stage2", hide: ["order"] }),
    'ArchitectureBuilder(picked="stage2", hide=["order"])',
  );
});

test("there are as many stages as can be built, and not one more", () => {
  for (const side of [2, 3, 4, 5, 33, 64, 65, 300]) {
    const most = mostStages({ width: side, height: 300 });
    const network = (stages) => ({
      ...example,
      width: side,
      height: 300,
      stages: Array(stages).fill(1),
      filters: Array(stages + 1).fill(4),
    });
    assert.equal(networkParts(network(most)).length, most + 3);
    assert.equal(refusing(network(most + 1)).rule, "halvings");
  }
  for (const none of [null, 0, 1, -3]) assert.equal(mostStages({ width: none, height: 64 }), 0);
});

test("a part is named as its reader knows it", () => {
  const names = built[0].parts.map(({ name }) => partName(name));
  assert.deepEqual(names, ["stem", "pool", "stage 1", "stage 2", "stage 3", "classes"]);
  assert.equal(partName("stage12"), "stage 12");
  const sizes = built[0].parts.map(sizeOf);
  assert.deepEqual([sizes[0], sizes[3], sizes[5]], ["64 × 64 × 64", "16 × 16 × 256", "200"]);
});

test("a count that is too long for a column is a power", () => {
  const counts = [0, 5068, 999_999_999, 1e9, 4_089_184_256, 9.999e12];
  const words = ["0", "5,068", "999,999,999", "1.00·10⁹", "4.09·10⁹", "1.00·10¹³"];
  assert.deepEqual(counts.map(counted), words);
});

test("why no stage can be added is said in sentences", () => {
  assert.equal(
    stagesUsedUp({ width: 64, height: 2 }, 1).replaceAll("\u00a0", " "),
    "With one more stage the network would halve the image 2 times. " +
      "An image of 64 × 2 pixels can be halved only once.",
  );
});
