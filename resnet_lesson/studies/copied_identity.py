"""A trained network of 8 layers, deepened to 56 by modules that do nothing.

The copy answers as the shallow network does, so a solution as good exists at 56 layers. Whether
training from scratch finds one is the other half of the study.
"""

from .engine import Study, product

EPOCHS, RATE = 10, 0.1
SHALLOW, DEEP = 8, 56
# Depth, shortcut and epochs of what is trained from scratch. The last has had as many epochs as
# the copy that is trained on.
SCRATCH = {
    "56_plain_20": (DEEP, False, 2 * EPOCHS),
    "56_plain": (DEEP, False, EPOCHS),
    "56_residual": (DEEP, True, EPOCHS),
    "8_layers": (SHALLOW, True, EPOCHS),
}
COPIES = ("56_copied_trained_on", "56_copied")


def measure(network, seed):
    """One line: ``train_accuracy``, ``test_accuracy``, and of the copies ``difference``.

    That is the largest absolute difference between the probabilities that the copy and the
    shallow network give for the test digits.
    """
    from .trainer import trainer

    if network in SCRATCH:
        depth, shortcut, epochs = SCRATCH[network]
        trained = trainer(depth, shortcut)
        trained.restart(seed)
        trained.train(epochs, RATE, seed)
        return [trained.accuracies() | {"difference": None}]
    return [_copy(seed, epochs=EPOCHS if network == "56_copied_trained_on" else 0)]


def _copy(seed, epochs):
    """The measures of the copy, trained on for ``epochs``."""
    import numpy as np

    from ..data import load
    from .trainer import trainer

    digits = load("digits").x_test
    shallow = trainer(SHALLOW, True)
    shallow.restart(seed)
    shallow.train(EPOCHS, RATE, seed)
    shallow.accuracies()  # also sets the statistics of its norms
    copy = trainer(DEEP, True)
    copy.restart(seed)
    deepen(shallow.model, copy.model)
    copy.train(epochs, RATE, seed)
    measures = copy.accuracies()
    apart = shallow.model(digits, training=False) - copy.model(digits, training=False)
    return measures | {"difference": float(np.abs(apart).max())}


def deepen(shallow, deep):
    """Make ``deep`` a copy of ``shallow`` with more modules at the end, whose branches are zero.

    Both are models of ``build_cifar`` in full pre-activation with one stage. Layers of the same
    name become equal, with the statistics of their norms. In every other module the last
    convolution becomes zero; the rest of its branch keeps its weights and can learn.
    """
    copied = {layer.name: layer for layer in shallow.layers}
    for layer in deep.layers:
        if layer.name in copied:
            layer.set_weights(copied[layer.name].get_weights())
        elif layer.name.endswith("_conv2"):
            layer.set_weights([0 * kernel for kernel in layer.get_weights()])


STUDY = Study(
    name="copied_identity",
    question="Does a deep network exist that is as good as a shallow one, and is it found?",
    grid=product(network=(*SCRATCH, *COPIES)),
    measure=measure,
)
