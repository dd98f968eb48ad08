"""The study of the five orders: its ratios and its growth, against NumPy."""

from typing import Any

import numpy as np
import pytest

from resnet_lesson import stack_gradients, studies
from resnet_lesson.studies import orders, trainer

pytestmark = pytest.mark.slow

# He 2016, figure 4, of a module of two convolutions: before each, between them, after the last,
# after the addition. "n" BN, "r" ReLU.
FIGURE_4 = {
    "original": ("", "nr", "n", "r"),
    "bn_after_addition": ("", "nr", "", "nr"),
    "relu_before_addition": ("", "nr", "nr", ""),
    "relu_only_preactivation": ("r", "nr", "n", ""),
    "full_preactivation": ("nr", "nr", "", ""),
}
BIRTH: dict[str, Any] = {"part": "birth", "learning_rate": None}


def convolve(h, kernel):
    padded = np.pad(h, ((0, 0), (1, 1), (1, 1), (0, 0)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(1, 2))
    return np.einsum("bhwcij,ijcd->bhwd", windows, kernel)


def through(h, letters):
    for letter in letters:
        if letter == "r":
            h = np.maximum(h, 0)
        else:
            h = (h - h.mean((0, 1, 2))) / np.sqrt(h.var((0, 1, 2)) + 2e-5)
    return h


@pytest.mark.parametrize("order", FIGURE_4)
def test_growth_is_that_of_numpy(order):
    before, between, last, after = FIGURE_4[order]
    modules = 3
    first, second = (w.astype(float) for w in stack_gradients(modules, kind="basic").weights)
    h = stack_gradients(modules, kind="basic").inputs.astype(float)
    signals = [h]
    for one, two in zip(first, second, strict=True):
        branch = convolve(through(h, before), one)
        branch = through(convolve(through(branch, between), two), last)
        h = through(h + branch, after)
        signals.append(h)
    growth = np.sqrt(np.mean(signals[modules - 1] ** 2) / np.mean(signals[0] ** 2))
    (row,) = orders.measure(order=order, depth=2 + 2 * modules, seed=0, **BIRTH)
    assert row["growth"] == pytest.approx(growth, rel=1e-4)


def test_only_a_clean_wire_hands_the_gradient_on_unchanged():
    clean = {"relu_before_addition", "relu_only_preactivation", "full_preactivation"}
    for order in FIGURE_4:
        (row,) = orders.measure(order=order, depth=20, seed=1, **BIRTH)
        assert (row["wire_log10_ratio"] == 0) == (order in clean)
        assert row["whole_log10_ratio"] > row["wire_log10_ratio"]


def test_training_is_that_of_the_trainer():
    (row,) = orders.measure("training", "original", depth=8, learning_rate=0.03, seed=0)
    network = trainer.Trainer(8, True, "original")
    network.restart(0)
    means = [mean for _, (_, mean) in zip(range(10), network.epochs(0.03, 0, 0), strict=False)]
    assert means[row["epochs_to_90"] - 1] >= 0.9 > max(means[: row["epochs_to_90"] - 1])
    measured = [row["train_accuracy"], row["test_accuracy"]]
    assert measured == pytest.approx(list(network.accuracies().values()), abs=0.02)
    assert min(measured) > 0.9


def test_the_first_epoch_at_90_per_cent():
    assert trainer.epochs_to(90, [0.5, 0.9, 0.8, 0.95]) == 2
    assert trainer.epochs_to(90, [0.5, 0.899]) is None


def test_the_grid_has_every_order_at_every_depth():
    grid = studies.study("orders").grid
    settings = {
        tuple(c[name] for name in ("part", "order", "depth", "learning_rate")) for c in grid
    }
    birth = {("birth", order, depth, None) for order in FIGURE_4 for depth in (20, 56, 110)}
    training = {
        ("training", order, depth, rate)
        for order in FIGURE_4
        for depth in (20, 110)
        for rate in (0.01, 0.03, 0.1, 0.3)
    }
    assert settings == birth | training
    assert len(grid) == len(settings)
