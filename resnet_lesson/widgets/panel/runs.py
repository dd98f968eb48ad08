"""A recorded training, for where nothing can train: 56 layers, plain and residual, on digits.

``make runs`` makes ``runs.json`` again. The plain network has three acts: its gradients explode
toward the input, the first step moves its weights far away, and then they hardly change.
"""

import functools
import os
from collections.abc import Callable
from typing import Any

from ..frontend import write_json
from .widget import RECORDED, TrainingPanel

SEED = 0


def _network(shortcut: bool) -> tuple:
    """A compiled model, x and y."""
    from ...data import load
    from ...networks.cifar import build_cifar
    from ...runtime import keras, set_seed

    set_seed(SEED)
    digits = load("digits")
    # Without L2, whose gradient would hide how small that of the loss is.
    model = build_cifar(56, shortcut=shortcut, input_shape=(8, 8, 1), base_filters=16, reg=0.0)
    optimizer = keras.optimizers.SGD(0.1, momentum=0.9)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    return model, digits.x_train, digits.y_train


def make() -> dict[str, Any]:
    """Train both and return the record: 1,280 digits, SGD 0.1 with momentum 0.9, batch 64."""
    makers: dict[str, Callable[[], Any]] = {
        "plain": functools.partial(_network, shortcut=False),
        "residual": functools.partial(_network, shortcut=True),
    }
    panel = TrainingPanel(makers, epochs=10, batch_size=64)
    panel.run()
    return {"command": "python -m resnet_lesson runs", "seed": SEED} | panel.record()


def write(output: str | os.PathLike[str] | None = None) -> str | os.PathLike[str]:
    """Record both into a file, the package's own if no other is given, and return its path."""
    return write_json(RECORDED if output is None else output, make)
