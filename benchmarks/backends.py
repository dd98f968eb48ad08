"""What the monitor costs a training step on each of Keras's backends.

Each backend has a process of its own, one after the other. As in ``training.py``, one model is
trained in short fits that alternate, with and without the monitor, so that a change in the
machine's speed affects both.
"""

import json
import os
import subprocess
import sys
import time

import numpy as np
import record
import training
from process import ROOT

OTHERS = ROOT / ".venv-backends/bin/python"  # has JAX and PyTorch, and no TensorFlow
PYTHONS = {"tensorflow": sys.executable, "jax": OTHERS, "torch": OTHERS}
NOTHING, MONITOR, AGAIN = "nothing", "monitor", "nothing again"
MOST = 1.05  # times a step without it, where such a step takes over LONG milliseconds
LONG = 20


def main():
    """(figures by backend, versions, rows of the table)."""
    figures, versions, table = {}, {}, []
    for backend, python in PYTHONS.items():
        found = in_process(backend, python)
        versions |= found.pop("versions")
        figures[backend] = found
        for row in rows(backend, found):
            table.append(row)
            print("   ", *row, sep=" | ", flush=True)
    return figures, versions, table


def in_process(backend, python):
    """What ``measure`` returns in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "KERAS_BACKEND": backend}
    done = subprocess.run(
        [python, __file__], env=environment, stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def measure():
    """Milliseconds of each network's step, seconds to its first step, and versions."""
    from resnet_lesson.backend import NAME, versions

    found = networks()
    make, shape, _ = found["ResNet-20 on 32x32"]
    return {
        "steps": {name: steps(*made) for name, made in found.items()},
        "first step": first_step(make, shape),
        "versions": {name: versions()[name] for name in (NAME, "keras")},
    }


def networks():
    """By name: how to make a network, the pictures it trains on, and the steps of a fit."""
    from resnet_lesson import build_cifar
    from resnet_lesson.backend import keras

    def dense():
        hidden = [keras.layers.Dense(32, "relu") for _ in range(3)]
        return keras.Sequential([keras.Input((64,)), *hidden, keras.layers.Dense(10, "softmax")])

    return {
        "ResNet-20 on 32x32": (lambda: build_cifar(20), (32, 32, 3), 16),
        "a dense network of 4 layers": (dense, (64,), 400),
    }


def steps(make, shape, count):
    """Steps in milliseconds with and without the monitor, and how many times as long it takes."""
    from resnet_lesson import GradientMonitor

    model, x, y = training.compiled(make, shape)
    data = {"x": np.concatenate([x] * count), "y": np.concatenate([y] * count)}

    def fit(clock, *callbacks):
        model.fit(**data, batch_size=len(x), verbose=0, callbacks=[*callbacks, clock])

    monitor = GradientMonitor()
    kinds = {NOTHING: fit, MONITOR: lambda clock: fit(clock, monitor), AGAIN: fit}
    rounds = training.alternated(kinds)
    return {
        "ms": {name: record.summary(np.concatenate(each)) for name, each in rounds.items()},
        "times": {name: training.times(rounds, name, NOTHING) for name in (MONITOR, AGAIN)},
    }


def first_step(make, shape):
    """Seconds to the end of a new model's first step, traced and compiled, in turns; medians."""
    from resnet_lesson import GradientMonitor

    taken = {NOTHING: [], MONITOR: []}
    for round_ in range(training.ROUNDS // 2 + 1):
        for name, seconds in taken.items():
            model, x, y = training.compiled(make, shape)
            callbacks = [GradientMonitor()] if name == MONITOR else []
            before = time.perf_counter()
            model.fit(x, y, batch_size=len(x), verbose=0, callbacks=callbacks)
            if round_:  # the first also loads what the backend loads once
                seconds.append(time.perf_counter() - before)
    return {name: round(float(np.median(seconds)), 2) for name, seconds in taken.items()}


def rows(backend, found):
    """The table's rows: what, figure, target, met."""
    for network, steps in found["steps"].items():
        ms, times = steps["ms"], steps["times"]
        what = f"{backend}: {network}, batch {training.BATCH}, every step recorded by the monitor"
        figure = (
            f"{record.shown(ms[MONITOR])} against {record.shown(ms[NOTHING])}: "
            f"{times[MONITOR]:.3f} times (nothing against nothing: {times[AGAIN]:.3f})"
        )
        if ms[NOTHING]["median"] > LONG:
            yield what, figure, f"<= {MOST} times", times[MONITOR] <= MOST
        else:
            yield what, figure, "", None
    first = found["first step"]
    figure = f"{first[MONITOR]:.1f} s against {first[NOTHING]:.1f} s"
    yield (
        f"{backend}: ResNet-20 on 32x32, a new model's first step with the monitor",
        figure,
        "",
        None,
    )


if __name__ == "__main__":
    print(json.dumps(measure()))
