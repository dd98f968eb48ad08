"""Images that a training step takes a second: this package, Keras as it installs, and PyTorch.

Each has a process of its own and sleeps while another is timed. All train the same network from
the same weights on the same batch, and must agree on the first losses before any is timed.
"""

import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import record
from process import ROOT, TORCH_PYTHON, Process

BATCH, BLOCKS, SECONDS = 128, 5, 2  # pictures a step; blocks of so many seconds at least
WARM_UP = 1  # steps before each block that are not counted
PAUSE = 0.3  # seconds, until the threads of the framework before it sleep
AGREE = {"float32": 1e-3, "mixed_bfloat16": 2e-2}  # of the loss, relative
OURS, KERAS, OFF, TORCH = "ours", "Keras", "Keras without oneDNN", "PyTorch"
CASES = [
    ("ResNet-20", 32, "float32", {TORCH: 1.1, KERAS: 1.25, OFF: 2.4}),
    ("ResNet-20", 64, "float32", {TORCH: 1.1, KERAS: 1.25, OFF: 2.4}),
    ("article", 32, "float32", {TORCH: 1.0, KERAS: 1.25, OFF: 2.4}),
    ("article", 64, "float32", {TORCH: 1.1, KERAS: 1.25, OFF: 2.4}),
    ("ResNet-20", 32, "mixed_bfloat16", {TORCH: 1.1}),
]


def start(threads, names):
    """The workers of these names."""
    keras = sys.executable, "steps_keras", threads
    makers = {
        OURS: lambda: Process(*keras),
        KERAS: lambda: Process(*keras, TF_ENABLE_ONEDNN_OPTS=None),
        OFF: lambda: Process(*keras, TF_ENABLE_ONEDNN_OPTS="0"),
        TORCH: lambda: Process(TORCH_PYTHON, "steps_torch", threads),
    }
    return {name: makers[name]() for name in names}


def prepare(workers, network, size, precision):
    """Give all the same batch and weights, and compare their losses of the first two steps.

    Raises:
        ValueError: they differ; a benchmark of different networks is worthless.
    """
    options = {"network": network, "size": size, "precision": precision}
    random = np.random.default_rng(0)
    with tempfile.TemporaryDirectory() as folder:
        material = str(Path(folder) / "material.npz")
        images = random.standard_normal((BATCH, size, size, 3)).astype(np.float32)
        np.savez(material, images=images, labels=random.integers(0, 10, BATCH))
        for name, worker in workers.items():  # ours first: it adds the weights
            worker.prepare(options | {"fused": name == OURS}, material)
    losses = {name: [w.norms(False)[0] for _ in range(2)] for name, w in workers.items()}
    for name, each in losses.items():
        if not np.allclose(each, losses[OURS], rtol=AGREE[precision], atol=0):
            raise ValueError(f"{name} has losses {each}, and ours are {losses[OURS]}")
    return losses


def measure(workers):
    """Images a second by worker, a figure for each block; blocks alternate."""
    steps = {}
    for name, worker in workers.items():
        taken = worker.time([True] * 4)[WARM_UP:]
        steps[name] = max(2, round(1000 * SECONDS / np.mean(taken)))
    found = {name: [] for name in workers}
    for _ in range(BLOCKS):
        for name, worker in workers.items():
            time.sleep(PAUSE)
            taken = worker.time([True] * (WARM_UP + steps[name]))[WARM_UP:]
            found[name].append(round(1000 * BATCH / float(np.mean(taken)), 1))
    return found


def rows(network, size, precision, targets, found):
    """The table's rows: what, figure, target, met."""
    what = f"{network} at {size}x{size}, {precision}, batch {BATCH}"
    ours = max(found[OURS])
    yield f"{what}: images a second, the best of five (the worst)", _shown(found[OURS]), "", None
    for name, target in targets.items():
        ratio = ours / max(found[name])
        figure = f"{_shown(found[name])}: {ratio:.2f} times as fast"
        yield f"{what}, against {name}", figure, f">= {target} times", ratio >= target


def _shown(blocks):
    return f"{max(blocks):,.0f} ({min(blocks):,.0f})"


def first_steps():
    """Figures and row: seconds to the end of the first step, five fresh processes of each kind."""
    found = {"ours": [], "keras": []}
    for _ in range(BLOCKS):
        for kind, seconds in found.items():
            seconds.append(round(float(printed("first_step.py", kind)), 2))
    ratio = statistics.median(found["ours"]) / statistics.median(found["keras"])
    ours, keras = (
        f"{statistics.median(each):.1f} s (worst {max(each):.1f})" for each in found.values()
    )
    what = "ResNet-56 on digits, from building it to the end of the first step"
    return found, (what, f"{ours}; Keras {keras}: {ratio:.2f} times", "<= 0.5 times", ratio <= 0.5)


def feeding(model_takes):
    """The rows of what the pipeline gives, and the memory of a training on CIFAR-10's size."""
    gives, memory = map(float, printed("feeding.py").split())
    times = gives / model_takes
    what = "CIFAR-10's pipeline alone, images a second"
    yield what, f"{gives:,.0f}: {times:.0f} times what ResNet-20 takes", ">= 3 times", times >= 3
    what = "peak memory of a training on 60,000 images of 32x32"
    yield what, f"{memory:.2f} GB", "<= 2 GB", memory <= 2


def probing():
    """The row of ``gradient_norms`` beside a bare gradient."""
    ours, bare = map(float, printed("probing.py").split())
    figure = f"{ours:.0f} ms; a bare compiled gradient {bare:.0f} ms: {ours / bare:.2f} times"
    what = f"`gradient_norms` of ResNet-20 at 32x32, batch {BATCH}, on a model that it knows"
    return what, figure, "<= 1.2 times", ours / bare <= 1.2


def printed(script, *arguments):
    """The last line that a script of this folder prints in a process of its own."""
    command = [sys.executable, str(ROOT / "benchmarks" / script), *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.splitlines()[-1]


def main():
    """(figures by case, versions, rows of the table)."""
    threads = record.cores()
    figures, versions, table = {"threads": threads}, {}, []
    for network, size, precision, targets in CASES:
        print(network, size, precision, flush=True)
        workers = start(threads, [OURS, *targets])
        try:
            for worker in workers.values():
                versions |= worker.versions()
            losses = prepare(workers, network, size, precision)
            found = measure(workers)
        finally:
            for worker in workers.values():
                worker.close()
        case = f"{network}, {size}x{size}, {precision}"
        figures[case] = {"images_per_second": found, "first_losses": losses}
        for row in rows(network, size, precision, targets, found):
            table.append(row)
            print("   ", *row, sep=" | ", flush=True)
    figures["first_step_seconds"], row = first_steps()
    at_32 = figures["ResNet-20, 32x32, float32"]["images_per_second"]
    table += [row, probing(), *feeding(max(at_32[OURS]))]
    return figures, versions, table


if __name__ == "__main__":
    main()
