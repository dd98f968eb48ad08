"""A plain network of 56 layers, built by hand to answer as a trained one of 8, then trained on.

So a plain deep network that is as good as a shallow one exists. The gradients of this one are of
one size in all its layers; the study asks whether training keeps what it was given.
"""

from typing import Any

import numpy as np

from ..data import load
from .engine import Study, product
from .record import Row

EPOCHS, RATE = 10, 0.03  # of the shallow network; of the rates on record its best
SHALLOW, DEEP = 8, 56
BUDGETS = (0, 1, 10)  # epochs of the copy after which it is measured
BATCH = 256  # digits, for the gradients


def measure(lift: float, learning_rate: float, seed: int) -> list[Row]:
    """A row for each of BUDGETS, as ``epochs``, of the copy trained on at this rate.

    ``train_accuracy`` and ``test_accuracy``; ``same_answers``, the share of the test digits that
    the shallow network, as it was copied, answers in the same way; ``least_gradient`` and
    ``largest_gradient``, norms of the gradient by kernel over all added convolutions.
    """
    from .trainer import start, start_trained

    shallow = start_trained(seed, EPOCHS, RATE, SHALLOW, False)
    copy = start(seed, DEEP, False)
    added = deepen(shallow.model, copy.model, lift)
    digits = load("digits").x_test
    answers = np.argmax(shallow.model(digits, training=False), axis=1)
    rows: list[Row] = []
    for before, epochs in zip((0, *BUDGETS), BUDGETS, strict=False):
        copy.train(epochs - before, learning_rate, seed)
        row = {"epochs": epochs} | copy.accuracies()
        same = np.argmax(copy.model(digits, training=False), axis=1) == answers
        rows.append(row | {"same_answers": float(np.mean(same))} | _gradients(copy.model, added))
    return rows


def deepen(shallow: Any, deep: Any, lift: float) -> list[Any]:
    """Make ``deep`` a copy of ``shallow`` with more modules at the end, each of which copies.

    Both are plain models of ``build_cifar`` in full pre-activation with one stage. Layers of the
    same name become equal, including the statistics of BN layers. Each added kernel has a single 1
    in its middle, by which every channel reads itself. Each added BN layer lifts all values by
    ``lift``, so that the ReLU behind it finds nothing negative to cut, and the last BN layer of
    the network takes all the lifts off again.

    Returns:
        The added convolutions, input side first.
    """
    for layer in shallow.layers:
        deep.get_layer(layer.name).set_weights(layer.get_weights())
    known = {layer.name for layer in shallow.layers}
    added = [layer for layer in deep.layers if layer.weights and layer.name not in known]
    norms = [layer for layer in added if "_bn" in layer.name]
    convolutions = [layer for layer in added if "_conv" in layer.name]
    for layer in convolutions:
        kernel = np.zeros(layer.kernel.shape)
        kernel[1, 1] = np.eye(len(kernel[1, 1]))
        layer.set_weights([kernel])
    for layer in norms:
        ones = np.ones(layer.gamma.shape)
        # Scale, offset, mean and variance: it divides by exactly 1.
        layer.set_weights([ones, lift * ones, 0 * ones, ones - layer.epsilon])
    final = deep.get_layer("final_bn1")
    final.moving_mean.assign(final.moving_mean + len(norms) * lift)
    return convolutions


def _gradients(model: Any, convolutions: list[Any]) -> dict[str, float]:
    from ..gradients.norms import norm
    from ..runtime import keras, tf

    data = load("digits")
    x, y = data.x_train[:BATCH], data.y_train[:BATCH]
    kernels = [layer.kernel.value for layer in convolutions]
    with tf.GradientTape() as tape:
        losses = keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
        loss = tf.reduce_mean(losses)
    norms = [norm(gradient) for gradient in tape.gradient(loss, kernels)]
    return {"least_gradient": float(min(norms)), "largest_gradient": float(max(norms))}


STUDY = Study(
    name="plain_copy",
    question="Does training keep a plain deep network that is as good as a shallow one?",
    grid=product(
        lift=(4.0, 8.0, 20.0),
        learning_rate=(0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1),
    ),
    measure=measure,
    seeds=5,
)
