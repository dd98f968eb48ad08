"""A trained network of 8 layers, deepened to 56 by modules that compute the identity.

The copy predicts what the shallow network does, so a solution as good exists at 56 layers. Whether
training from scratch finds one is the other half of the study.
"""

from typing import Any

import numpy as np

from ..data import load
from .engine import Study, product
from .record import Row

EPOCHS, RATE = 10, 0.1
SHALLOW, DEEP = 8, 56
# Depth, shortcut and epochs of the networks trained from scratch. The first is trained for as many
# epochs in all as the copy that is trained on.
SCRATCH = {
    "56_plain_20": (DEEP, False, 2 * EPOCHS),
    "56_plain": (DEEP, False, EPOCHS),
    "56_residual": (DEEP, True, EPOCHS),
    "8_layers": (SHALLOW, True, EPOCHS),
}
COPIES = ("56_copied_trained_on", "56_copied")


def measure(network: str, seed: int) -> list[Row]:
    """One row: ``train_accuracy``, ``test_accuracy``, and of the copies ``difference``.

    That is the largest absolute difference between the probabilities that the copy and the
    shallow network predict for the test digits.
    """
    from .trainer import start, start_trained

    if network in SCRATCH:
        depth, shortcut, epochs = SCRATCH[network]
        trainer = start(seed, depth, shortcut)
        trainer.train(epochs, RATE, seed)
        return [trainer.accuracies() | {"difference": None}]
    shallow = start_trained(seed, EPOCHS, RATE, SHALLOW, True)
    copy = start(seed, DEEP, True)
    deepen(shallow.model, copy.model)
    copy.train(EPOCHS if network == "56_copied_trained_on" else 0, RATE, seed)
    measures = copy.accuracies()
    digits = load("digits").x_test
    apart = shallow.model(digits, training=False) - copy.model(digits, training=False)
    return [measures | {"difference": float(np.abs(apart).max())}]


def deepen(shallow: Any, deep: Any) -> None:
    """Make ``deep`` a copy of ``shallow`` with more modules at the end, whose branches are zero.

    Both are models of ``build_cifar`` in full pre-activation with one stage. Layers of the same
    name become equal, including the statistics of BN layers. In every other module the last
    convolution becomes zero; the rest of its branch keeps its weights and can learn.
    """
    from ..networks.dissect import module_names

    for layer in shallow.layers:
        deep.get_layer(layer.name).set_weights(layer.get_weights())
    for name in module_names(deep)[len(module_names(shallow)) :]:
        last = deep.get_layer(f"{name}_conv2")
        last.set_weights([0 * kernel for kernel in last.get_weights()])


STUDY = Study(
    name="copied_identity",
    question="Does a deep network exist that is as good as a shallow one, and is it found?",
    grid=product(network=(*SCRATCH, *COPIES)),
    measure=measure,
)
