"""Compare a few steps of the training in Keras and in PyTorch.

From the same weights, on the same batches, in double precision: a warm-up, a projection and a plain
network among them. All weights, averages and norms must agree.
"""

import argparse
import json
import tempfile
from pathlib import Path

import numpy as np
import torch_python

from resnet_lesson import GradientMonitor
from resnet_lesson.gradients.monitor import MEASURES
from resnet_lesson.runtime import keras, set_seed
from resnet_lesson.training import TrainingConfig
from resnet_lesson.training.model import network
from resnet_lesson.training.pipeline import batches

STEPS, BATCH = 4, 32
# PyTorch's average of the variance divides by one less than Keras's does.
MOST = {"variance": 1e-3}


def check(torch):
    """Compare three networks.

    Args:
        torch: a Python with PyTorch.

    Raises:
        SystemExit: a weight, an average or a norm differs by more than rounding does.
    """
    torch_python.check_python(torch)
    for depth, shortcut in [(8, True), (14, False), (20, True)]:
        config = TrainingConfig(
            "cifar10", depth, shortcut, 1, BATCH, warmup_epochs=0.5, weight_decay=5e-4, padding=0
        )
        differences = _differences(config, torch)
        print(f"{depth} layers, shortcut {shortcut}: {differences}", flush=True)
        if not all(value < MOST.get(kind, 1e-6) for kind, value in differences.items()):
            raise SystemExit("Keras and PyTorch differ")


def _differences(config, torch):
    random = np.random.default_rng(0)
    x = random.integers(0, 256, (STEPS * BATCH, 32, 32, 3)) / np.float32(255)
    labels = random.integers(0, 10, len(x))
    set_seed(0)
    keras.config.set_floatx("float64")  # in float32 rounding alone is a hundredth
    model = network(config, x.shape[1:], 10, policy="float64")
    model.compile(
        keras.optimizers.SGD(config.schedule(STEPS), config.momentum, nesterov=True),
        "sparse_categorical_crossentropy",
    )
    given = {variable.path: variable.numpy() for variable in model.variables}
    for index, (images, answers) in enumerate(batches(x, labels, config)):
        given |= {f"x{index}": images.numpy(), f"y{index}": answers.numpy()}
    monitor = GradientMonitor()
    model.fit(
        batches(x, labels, config),
        steps_per_epoch=STEPS,
        shuffle=False,
        verbose=0,
        callbacks=[monitor],
    )
    ours = {variable.path: variable.numpy() for variable in model.variables}
    ours |= {name: monitor.records[name] for name in MEASURES}
    theirs = _torch_steps(config, given, torch)
    assert set(theirs) == set(ours)
    kinds = ("kernel", "gamma", "beta", "bias", "mean", "variance", *MEASURES)
    return {kind: _difference(ours, theirs, kind) for kind in kinds}


def _torch_steps(config, given, torch):
    """What PyTorch makes of the given weights and batches."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        np.savez(folder / "given.npz", **given)
        text = json.dumps(config.to_json())
        (folder / "config.json").write_text(text, encoding="utf-8")
        torch_python.run(torch, "torch_steps.py", folder)
        with np.load(folder / "got.npz") as file:
            return dict(file)


def _difference(ours, theirs, kind):
    """The largest difference in all arrays of a kind, over the largest value."""
    names = [name for name in ours if name.endswith(kind)]
    largest = max(np.abs(ours[name]).max() for name in names)
    return float(max(np.abs(theirs[name] - ours[name]).max() for name in names) / largest)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    torch_python.add_option(parser)
    check(parser.parse_args().torch)
