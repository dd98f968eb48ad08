"""The race that a browser runs, in TensorFlow: how many digits does a network still get wrong?

The networks are those of ``widgets/engine/race.c``: dense, 32 units wide, in full pre-activation
with one matrix a layer, plain or residual. The page has random numbers of its own, so its
curves must lie in the band of these seeds and not on them.
"""

from typing import Any

import numpy as np

from ..data import load
from .engine import Study, product
from .record import Row

WIDTH, BATCH, MOMENTUM, CLASSES = 32, 64, 0.9, 10
EPOCHS = (10, 20, 30)  # 200, 400 and 600 steps
WINDOW = 3  # epochs that are averaged


def measure(depth: int, shortcut: bool, learning_rate: float, seed: int) -> list[Row]:
    """A row for each of EPOCHS, as ``epochs``, of one training at this rate.

    ``wrong``: the share of the training digits that the network answered wrongly in the last
    WINDOW epochs, each in its batch, before the step on it.
    """
    from ..runtime import keras, set_seed

    set_seed(seed)
    model = network(depth, shortcut)
    optimizer = keras.optimizers.SGD(learning_rate, momentum=MOMENTUM)
    model.compile(optimizer, "sparse_categorical_crossentropy", metrics=["accuracy"])
    x, y = digits()
    random, wrong = np.random.default_rng(seed), []
    for _ in range(EPOCHS[-1]):
        order = random.permutation(len(x))
        seen = model.fit(x[order], y[order], BATCH, shuffle=False, verbose=0).history
        wrong.append(1 - seen["accuracy"][0])
    return [
        {"epochs": epochs, "wrong": float(np.mean(wrong[epochs - WINDOW : epochs]))}
        for epochs in EPOCHS
    ]


def digits() -> tuple[np.ndarray, np.ndarray]:
    """The training digits, (1280, 64) with each pixel standardised, and their (1280,) labels."""
    data = load("digits")
    flat = data.x_train.reshape(len(data.x_train), -1).astype(np.float64)
    return (flat - flat.mean(axis=0)) / (flat.std(axis=0) + 1e-6), data.y_train


def network(depth: int, shortcut: bool, dtype: str = "float32") -> Any:
    """The Keras model: "stem", "weight0" and so on, "head"; "norm0" and so on in front of each."""
    from ..runtime import keras

    layers = keras.layers

    def dense(name: str, deviation: float, units: int = WIDTH, **options: Any) -> Any:
        draws = keras.initializers.RandomNormal(0.0, deviation)
        return layers.Dense(units, name=name, kernel_initializer=draws, dtype=dtype, **options)

    def prepared(h: Any, index: int) -> Any:
        norm = layers.BatchNormalization(epsilon=2e-5, name=f"norm{index}", dtype=dtype)
        return layers.Activation("relu", dtype=dtype)(norm(h))

    image = keras.Input((64,), dtype=dtype)
    h = dense("stem", (1 / 64) ** 0.5, use_bias=False)(image)
    for index in range(depth):
        branch = dense(f"weight{index}", (2 / WIDTH) ** 0.5, use_bias=False)(prepared(h, index))
        h = layers.Add(dtype=dtype)([h, branch]) if shortcut else branch
    head = dense("head", (1 / WIDTH) ** 0.5, CLASSES, activation="softmax")
    return keras.Model(image, head(prepared(h, depth)))


STUDY = Study(
    name="race",
    question="How many digits does the network that a browser trains still get wrong?",
    grid=product(
        depth=(2, 10, 20, 30, 40, 60), shortcut=(False, True), learning_rate=(0.01, 0.03, 0.1)
    ),
    measure=measure,
    seeds=5,
)
