"""The study of the copied identity: modules whose branches are zero change nothing."""

import numpy as np
import pytest

from resnet_lesson import studies
from resnet_lesson.data import load
from resnet_lesson.runtime import keras, tf
from resnet_lesson.studies import copied_identity, trainer

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def models():
    """A network of 8 layers after an epoch, and its copy of 14."""
    shallow = trainer.Trainer(8, True)
    shallow.restart(0)
    shallow.train(1, 0.1, seed=0)
    shallow.accuracies()
    deep = trainer.build_fused(14, True, seed=1)
    copied_identity.deepen(shallow.model, deep)
    return shallow.model, deep


@pytest.mark.parametrize("training", [False, True])
def test_a_copy_answers_the_same_to_the_last_bit(models, training):
    answers = [model(load("digits").x_test, training=training).numpy() for model in models]
    np.testing.assert_array_equal(*answers)
    assert len({tuple(row) for row in answers[0].round(3)}) > 100  # answers worth copying


def test_one_weight_in_an_added_branch_changes_the_answer(models):
    shallow, deep = models
    layer = deep.get_layer("stage1_unit5_conv2")
    (zeros,) = layer.get_weights()
    assert not zeros.any()
    layer.set_weights([zeros + np.eye(1, zeros.size).reshape(zeros.shape)])
    digits = load("digits").x_test
    apart = np.abs(shallow(digits, training=False) - deep(digits, training=False)).max()
    layer.set_weights([zeros])
    assert apart > 1e-4


def test_added_branches_can_learn(models):
    _, deep = models
    digits = load("digits")
    kernels = [deep.get_layer(f"stage1_unit{unit}_conv2").kernel.value for unit in (4, 5, 6)]
    with tf.GradientTape() as tape:
        answers = deep(digits.x_test, training=True)
        losses = keras.losses.sparse_categorical_crossentropy(digits.y_test, answers)
        loss = tf.reduce_mean(losses)
    for gradient in tape.gradient(loss, kernels):
        assert np.linalg.norm(gradient) > 1e-4


def test_the_study_of_a_copy(monkeypatch):
    monkeypatch.setattr(copied_identity, "DEEP", 10)
    monkeypatch.setattr(copied_identity, "EPOCHS", 1)
    (copied,) = copied_identity.measure("56_copied", seed=0)
    (moved,) = copied_identity.measure("56_copied_trained_on", seed=0)
    assert copied["difference"] < 1e-6 < moved["difference"]


def test_the_grid_has_the_copies_and_what_they_are_compared_with():
    networks_ = {
        configuration["network"] for configuration in studies.study("copied_identity").grid
    }
    copies = {"56_copied", "56_copied_trained_on"}
    assert networks_ == copies | {"8_layers", "56_residual", "56_plain", "56_plain_20"}
