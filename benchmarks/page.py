"""The engine of the page beside the kernel's, on one core, and a step of the race."""

import gzip
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import record

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import bundle  # noqa: E402

BLOCKS, CALLS, WARM_UP = 12, 20, 3
SETTING = {
    "kind": "dense",
    "order": "full_preactivation",
    "activation": "relu",
    "initializer": "he",
    "shortcut": True,
    "seed": 0,
}
# The kernel always computes both: the page computes the first, which takes every product that the
# kernel's call does, and what the explorer opens with.
QUANTITIES = {"page": "weight_gradient", "as it opens": "signal_gradient"}
DEPTHS = {100: (90, 110), 200: (190, 200)}
RACE = {"depth": 30, "shortcut": True, "seed": 0}
# Multiplications and additions of the products of a step: stem, layers and head, there and back.
WIDTH, BATCH, PIXELS, PADDED = 32, 64, 64, 16
STEP = 2 * BATCH * WIDTH * (2 * PIXELS + 3 * RACE["depth"] * WIDTH + 3 * PADDED)
PRODUCT, PRODUCTS = 2 * 128 * 64 * 64, 200


class Page:
    """The engine in a process of its own."""

    def __init__(self, folder):
        files = {
            "stack": gzip.decompress((bundle.ENGINE / "stack.wasm.gz").read_bytes()),
            "race": gzip.decompress((bundle.ENGINE / "race.wasm.gz").read_bytes()),
            "product": bundle.compiled(Path(__file__).with_name("product")),
            "digits": bundle.digits(),
        }
        for name, content in files.items():
            (folder / name).write_bytes(content)
        script = Path(__file__).with_suffix(".js")
        command = [bundle.NODE, script, *(folder / name for name in files)]
        pipe = subprocess.PIPE
        self.process = subprocess.Popen(command, stdin=pipe, stdout=pipe, encoding="utf-8")

    def ask(self, act, **question):
        """Milliseconds of each."""
        print(json.dumps({"act": act, **question}), file=self.process.stdin, flush=True)
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def kernel(settings):
    """Milliseconds of each, by the kernel's engine."""
    from resnet_lesson import stack_gradients

    taken = []
    for setting in settings:
        began = time.perf_counter()
        stack_gradients(**setting)
        taken.append(1000 * (time.perf_counter() - began))
    return taken


def compare(page, depth, normalization):
    """Both engines by turns, over depths near this one."""
    order = random.Random(0)
    taken = {name: [] for name in (*QUANTITIES, "kernel")}
    for _ in range(BLOCKS):
        low, high = DEPTHS[depth]
        depths = [order.randint(low, high) for _ in range(CALLS)]
        settings = [SETTING | {"depth": one, "normalization": normalization} for one in depths]
        for name, quantity in QUANTITIES.items():
            asked = [setting | {"quantity": quantity} for setting in settings]
            taken[name] += page.ask("stack", settings=asked)[WARM_UP:]
        taken["kernel"] += kernel(settings)[WARM_UP:]
    return {name: record.summary(times) for name, times in taken.items()}


def main():
    """(figures by case, versions, rows of the table)."""
    import keras
    import tensorflow as tf

    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})  # and what it starts, too
    tf.config.threading.set_intra_op_parallelism_threads(1)
    figures, rows = {}, []
    with tempfile.TemporaryDirectory() as folder:
        page = Page(Path(folder))
        for depth in DEPTHS:
            for normalization in (False, True):
                found = compare(page, depth, normalization)
                name = f"depth {depth}, BN {'on' if normalization else 'off'}"
                ratio = found["page"]["median"] / found["kernel"]["median"]
                figures[name] = found | {"ratio": round(ratio, 3)}
                rows += [
                    [f"page, {name}", record.shown(found["page"]), "", None],
                    [f"kernel, {name}", record.shown(found["kernel"]), "", None],
                    [f"page as it opens, {name}", record.shown(found["as it opens"]), "", None],
                    [f"page over kernel, {name}", f"{ratio:.2f}x", "at most 1.5x", ratio <= 1.5],
                ]
        steps = page.ask("race", network=RACE, steps=300)[50:]
        most = page.ask("product", count=PRODUCTS, times=60)[10:]
        page.close()
    # FLOP a millisecond are millionths of GFLOP a second.
    rate = STEP / np.median(steps) / 1e6
    peak = PRODUCT * PRODUCTS / np.median(most) / 1e6
    figures["race"] = {"step": record.summary(steps), "gflops": round(rate, 2)}
    figures["product"] = {"gflops": round(peak, 2)}
    rows += [
        [
            "a step of the race, residual, 30 layers",
            record.shown(figures["race"]["step"]),
            "",
            None,
        ],
        [
            "its products",
            f"{rate:.1f} GFLOP/s, {rate / peak:.0%} of a plain product's {peak:.1f}",
            "",
            None,
        ],
    ]
    versions = {
        "tensorflow": tf.__version__,
        "keras": keras.__version__,
        "node": subprocess.check_output([bundle.NODE, "--version"], encoding="utf-8").strip(),
    }
    return figures, versions, rows
