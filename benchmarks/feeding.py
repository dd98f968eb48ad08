"""Images a second that the pipeline gives, and gigabytes that a training takes at most.

For noise of CIFAR-10's size, in a process of its own: memory is the most that it ever had.
"""

import dataclasses
import resource
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

from resnet_lesson import load, training
from resnet_lesson.training import PRESETS
from resnet_lesson.training.pipeline import batches

ROUNDS, BATCHES = 5, 60


def noise(path):
    random = np.random.default_rng(0)
    images = {
        name: random.integers(0, 256, (count, 32, 32, 3), dtype=np.uint8)
        for name, count in (("x_train", 50_000), ("x_test", 10_000))
    }
    np.savez(path, **images, y_train=np.arange(50_000) % 10, y_test=np.arange(10_000) % 10)


def gives(data, config):
    """Images a second, the best of five rounds."""
    dataset = load("cifar10", data)
    drawn, best = iter(batches(dataset.x_train, dataset.y_train, config)), 0
    for _ in range(ROUNDS):
        start = time.perf_counter()
        for _ in range(BATCHES):
            next(drawn)
        best = max(best, BATCHES * config.batch_size / (time.perf_counter() - start))
    return best


if __name__ == "__main__":
    config = dataclasses.replace(PRESETS["cifar10-fast"], depth=8, epochs=1, warmup_epochs=0)
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "noise.npz"
        noise(data)
        training.train(config, Path(folder) / "run", data=data, verbose=False)
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        unit = 1e9 if sys.platform == "darwin" else 1e6  # a Mac counts bytes
        print(gives(data, config), kilobytes / unit)
