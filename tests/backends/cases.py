"""Networks with the same weights on every backend, and a batch for each."""

import numpy as np

from resnet_lesson import build, build_cifar
from resnet_lesson.backend import keras

CLASSES = 10


def dense_stack():
    """Fifty layers and no normalisation: what is small here is small on every backend."""
    layers = [keras.Input((64,))]
    layers += [keras.layers.Dense(64, "relu", name=f"dense{at}") for at in range(50)]
    return keras.Sequential([*layers, keras.layers.Dense(CLASSES, "softmax", name="head")])


def resnet20():
    return build_cifar(20, input_shape=(16, 16, 3))


def article():
    return build(32, 32, 3, CLASSES, (1, 2, 1), (8, 16, 32, 64))


CASES = {"dense_stack": dense_stack, "resnet20": resnet20, "article": article}


def made(name):
    """The network of this name with its weights, and a batch: images, and labels (B,)."""
    model, rng = CASES[name](), np.random.default_rng(0)
    for weight in model.weights:
        drawn = rng.standard_normal(weight.shape)
        if len(weight.shape) > 1:
            drawn *= np.sqrt(2 / np.prod(weight.shape[:-1]))
        elif weight.name in ("gamma", "moving_variance"):
            drawn = 1 + 0.1 * np.abs(drawn)
        else:
            drawn *= 0.1
        weight.assign(drawn)
    x = rng.standard_normal((8, *model.input_shape[1:])).astype("float32")
    return model, x, rng.integers(0, CLASSES, 8)
