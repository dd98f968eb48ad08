"""The plain copy: kernels that hand on, and lifts that keep the ReLUs from cutting."""

import numpy as np
import pytest

from resnet_lesson.data import load
from resnet_lesson.studies import plain_copy, trainer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def shallow():
    """A plain network of 8 layers after an epoch."""
    found = trainer.Trainer(8, False)
    found.restart(0)
    found.train(1, 0.1, seed=0)
    found.accuracies()
    return found.model


def deepened(shallow, lift, depth=56):
    deep = trainer.build_fused(depth, False, seed=1)
    return deep, plain_copy.deepen(shallow, deep, lift)


@pytest.mark.parametrize("training", [False, True])
def test_a_plain_copy_of_56_layers_answers_the_same(shallow, training):
    deep, added = deepened(shallow, lift=20)
    assert len(added) == 48
    digits = load("digits").x_test
    answers = [model(digits, training=training).numpy() for model in (shallow, deep)]
    # What is added to each value and taken off at the end costs it some digits of 32 bits.
    np.testing.assert_allclose(answers[1], answers[0], atol=0.01)
    same = answers[0].argmax(axis=1) == answers[1].argmax(axis=1)
    assert same.mean() > 0.99
    assert len({tuple(row) for row in answers[0].round(3)}) > 100  # answers worth copying


def test_without_the_lift_the_relus_cut(shallow):
    deep, _ = deepened(shallow, lift=0, depth=10)
    digits = load("digits").x_test
    apart = np.abs(shallow(digits, training=False) - deep(digits, training=False))
    assert apart.max() > 0.05


def test_each_added_kernel_hands_on_one_channel_to_itself(shallow):
    _, added = deepened(shallow, lift=8, depth=10)
    for layer in added:
        (kernel,) = layer.get_weights()
        assert np.count_nonzero(kernel) == 16
        assert (np.diagonal(kernel[1, 1]) == 1).all()


def test_the_study_of_a_plain_copy(monkeypatch):
    for name, value in {"DEEP": 14, "EPOCHS": 2, "BUDGETS": (0, 1)}.items():
        monkeypatch.setattr(plain_copy, name, value)
    rows = plain_copy.measure(8.0, 0.1, seed=0)
    assert [row["epochs"] for row in rows] == [0, 1]
    start, after = rows
    assert start["same_answers"] == 1
    assert after["same_answers"] < 1
    assert 0 < start["least_gradient"] <= start["largest_gradient"]
