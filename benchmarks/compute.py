"""The time to differentiate a stack whose depth changes at every call, three frameworks in turn.

Each framework has a process of its own, so that none disturbs another's threads, and waits while
another is timed. All compute the same norms of the same networks, and must agree on them before
any is timed.
"""

import random
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import record
from process import TORCH_PYTHON, Process

PYTHONS = {"ours": sys.executable, "with_keras": sys.executable, "with_torch": TORCH_PYTHON}
BLOCKS, CALLS = 12, 20
KERAS_BLOCKS, KERAS_CALLS = 6, 5  # a call takes a second or two
WARM_UP = 3  # calls before each block that are not counted: caches, and threads that slept
PAUSE = 0.3  # seconds, until the threads of the framework before it sleep
AGREE = 0.02  # decades
RESIDUAL = {"activation": "relu", "initializer": "he", "shortcut": True}


def case(name, depth, kind, normalization, targets, keras=False):
    """``targets`` are bounds: vs_torch and vs_keras of ratios, ms of the engine's median."""
    options = RESIDUAL | {"kind": kind, "normalization": normalization}
    # Around the depth; under 200, the deepest stack there is.
    depths = range(190, 201) if depth == 200 else range(depth - 10, depth + 11)
    return {
        "name": name,
        "options": options,
        "depths": list(depths),
        "targets": targets,
        "keras": keras,
    }


def cases():
    for normalization in (False, True):
        bn = "with BN" if normalization else "without BN"
        targets = {"vs_torch": 0.7, "vs_keras": 40}
        yield case(f"dense, 100 layers, {bn}", 100, "dense", normalization, targets, keras=True)
        yield case(f"dense, 200 layers, {bn}", 200, "dense", normalization, {"ms": 20})
    for kind in ("convolution", "basic", "bottleneck"):
        for normalization in (False, True):
            bn = "with BN" if normalization else "without BN"
            what = f"{kind}, 50 {'layers' if kind == 'convolution' else 'modules'}, {bn}"
            yield case(what, 50, kind, normalization, {"vs_torch": 1.0})


def check_agreement(workers, depths):
    """Compare the norms of every framework with those of the engine, in decades.

    Raises:
        ValueError: they differ; a benchmark of different networks is worthless.
    """
    worst = 0.0
    for depth in (depths[0], depths[-1]):
        logs = {module: np.log10(worker.norms(depth)) for module, worker in workers.items()}
        for module, each in logs.items():
            difference = np.abs(each - logs["ours"]).max()
            if not difference <= AGREE:
                raise ValueError(f"{module} differs by {difference} decades at depth {depth}")
            worst = max(worst, float(difference))
    return worst


def choose_threads(worker, depths, most):
    """PyTorch with as many threads as make it fastest: small layers may prefer one."""
    medians = {}
    for count in {1, most}:
        worker.use_threads(count)
        medians[count] = np.median(worker.time(depths[:WARM_UP] + depths)[WARM_UP:])
    best = min(medians, key=medians.get)
    worker.use_threads(best)
    return best


def measure(workers, one, order):
    """Milliseconds by framework, in alternating blocks that go through the same depths."""
    taken = {module: [] for module in workers}
    for block in range(BLOCKS):
        depths = one["depths"].copy()
        order.shuffle(depths)
        depths = (depths * CALLS)[: WARM_UP + CALLS]
        for module, worker in workers.items():
            counted = depths
            if module == "with_keras":
                if block >= KERAS_BLOCKS:
                    continue
                counted = depths[: WARM_UP + KERAS_CALLS]
            time.sleep(PAUSE)
            taken[module] += worker.time(counted)[WARM_UP:]
    return taken


def run_case(workers, one, order):
    """The figures of one case."""
    with tempfile.TemporaryDirectory() as folder:
        material = str(Path(folder) / "material.npz")
        asked = {m: w for m, w in workers.items() if m != "with_keras" or one["keras"]}
        for worker in asked.values():  # ours first: it writes what the others read
            worker.prepare(one["options"], material)
    difference = check_agreement(asked, one["depths"])
    threads = choose_threads(workers["with_torch"], one["depths"][::2], record.cores())
    taken = measure(asked, one, order)
    return {
        "depths": [one["depths"][0], one["depths"][-1]],
        "options": one["options"],
        "torch_threads": threads,
        "norms_differ_by_decades": round(difference, 5),
        "ms": {module: record.summary(each) for module, each in taken.items()},
    }


def rows(one, figures):
    """The table's rows: what, figure, target, met."""
    ms = figures["ms"]
    ours = ms["ours"]["median"]
    targets = one["targets"]
    if "ms" in targets:
        most = 1.25 * targets["ms"]
        target = f"about {targets['ms']} ms (<= {most:.0f})"
        yield one["name"], record.shown(ms["ours"]), target, ours <= most
    ratio = ours / ms["with_torch"]["median"]
    figure = f"{record.shown(ms['ours'])}; PyTorch {record.shown(ms['with_torch'])}: {ratio:.2f}x"
    if "vs_torch" in targets:
        bound = targets["vs_torch"]
        yield f"{one['name']}, against PyTorch", figure, f"<= {bound}x", ratio <= bound
    else:
        yield f"{one['name']}, against PyTorch", figure, "", None
    if "with_keras" in ms:
        faster = ms["with_keras"]["median"] / ours
        figure = f"Keras {record.shown(ms['with_keras'])}: {faster:.0f} times as fast"
        bound = targets["vs_keras"]
        yield f"{one['name']}, against Keras", figure, f">= {bound} times", faster >= bound


def main():
    """(figures by case, versions, rows of the table)."""
    threads = record.cores()
    workers = {module: Process(python, module, threads) for module, python in PYTHONS.items()}
    try:
        versions = {}
        for worker in workers.values():
            versions |= worker.versions()
        order, figures, table = random.Random(0), {"threads": threads}, []
        for one in cases():
            print(one["name"], flush=True)
            figures[one["name"]] = found = run_case(workers, one, order)
            for row in rows(one, found):
                table.append(row)
                print("   ", *row, sep=" | ", flush=True)
    finally:
        for worker in workers.values():
            worker.close()
    return figures, versions, table


if __name__ == "__main__":
    main()
