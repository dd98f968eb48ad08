"""The trainer of the studies: Keras's own networks and steps, only faster, and the same bits."""

import numpy as np
import pytest

from resnet_lesson import build_cifar, gradient_norms, load
from resnet_lesson.runtime import keras, set_seed, tf
from resnet_lesson.studies import degradation
from resnet_lesson.studies.trainer import BATCH, NETWORK, Trainer, build_fused, with_fused_bn

pytestmark = pytest.mark.slow

DEPTH, RATE = 8, 0.1


@pytest.fixture(scope="module")
def trainer():
    return Trainer(DEPTH, shortcut=True)


def first_batch(seed):
    """The digits of the trainer's first step."""
    digits = load("digits")
    chosen = np.random.default_rng([seed, 3]).permutation(len(digits.x_train))[:BATCH]
    return digits.x_train[chosen], digits.y_train[chosen]


def test_fused_bn_is_keras_bn():
    random = np.random.default_rng(0)
    x = tf.constant(random.standard_normal((16, 4, 4, 3)).astype("float32") * 3 + 1)
    sent = random.standard_normal(x.shape).astype("float32")
    found = []
    for prepare in (lambda model: model, with_fused_bn):
        layer = keras.layers.BatchNormalization(epsilon=2e-5)
        prepare(keras.Sequential([keras.Input(x.shape[1:]), layer]))
        layer.gamma.assign([0.5, 1.0, 2.0])
        layer.beta.assign([0.0, -1.0, 1.0])
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = layer(x, training=True)
            total = tf.reduce_sum(y * sent)
        gradients = tape.gradient(total, [x, layer.gamma.value, layer.beta.value])
        found.append([y, *gradients])
    for ours, keras_own in zip(found[1], found[0], strict=True):
        np.testing.assert_allclose(ours, keras_own, rtol=1e-3, atol=2e-5)
    # In inference on the same batch it uses that batch's statistics and no older ones.
    np.testing.assert_allclose(layer(x, training=False), y, rtol=1e-2, atol=1e-2)


def test_it_starts_as_build_cifar_does():
    set_seed(5)
    theirs = build_cifar(DEPTH, **NETWORK).get_weights()
    trainer = Trainer(DEPTH, shortcut=True)
    trainer.restart(5)
    for ours, weight in zip(trainer.model.get_weights(), theirs, strict=True):
        assert np.array_equal(ours, weight)
    for ours, weight in zip(build_fused(DEPTH, True, seed=5).get_weights(), theirs, strict=True):
        assert np.array_equal(ours, weight)


@pytest.mark.parametrize("clip", [None, 0.5])
def test_its_steps_are_those_of_keras(clip):
    set_seed(1)
    model = build_cifar(DEPTH, **NETWORK)
    optimizer = keras.optimizers.SGD(RATE, momentum=0.9, global_clipnorm=clip)
    trainer = Trainer(DEPTH, shortcut=True, clip=clip)
    trainer.restart(1)
    digits = load("digits")
    trainer._epoch(tf.reshape(tf.range(5 * BATCH), (5, BATCH)), tf.fill(5, RATE))
    for start in range(0, 5 * BATCH, BATCH):
        x, y = digits.x_train[start : start + BATCH], digits.y_train[start : start + BATCH]
        with tf.GradientTape() as tape:
            losses = keras.losses.sparse_categorical_crossentropy(y, model(x, training=True))
            loss = tf.reduce_mean(losses)
        weights = model.trainable_weights
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        optimizer.apply(gradients, weights)
    trained = zip(trainer.model.trainable_weights, model.trainable_weights, strict=True)
    for ours, theirs in trained:
        np.testing.assert_allclose(ours.numpy(), theirs.numpy(), rtol=2e-3, atol=2e-4)


def test_the_norms_of_a_step_are_those_of_the_probe(trainer):
    set_seed(2)
    model = build_cifar(DEPTH, **NETWORK)
    probed = {kernel.layer: kernel for kernel in gradient_norms(model, *first_batch(2))}
    trainer.restart(2)
    norms, _ = next(trainer.epochs(RATE, 0, 2))
    for row, name in zip(norms[0], ("stage1_unit1_conv1", "stage1_unit3_conv2"), strict=True):
        gradient, weight, update = row
        assert gradient == pytest.approx(probed[name].gradient_norm, rel=1e-3)
        assert weight == pytest.approx(probed[name].weight_norm, rel=1e-5)
        # The first step has no momentum yet.
        assert update == pytest.approx(RATE * gradient / weight, rel=1e-3)


def test_a_run_is_the_same_whatever_ran_before(trainer):
    def run(seed):
        trainer.restart(seed)
        epochs = trainer.epochs(RATE, 0, seed)
        return [next(epochs) for _ in range(2)], trainer.model.get_weights()

    first = run(3)
    run(4)
    again = run(3)
    for (norms, accuracy), (norms_again, accuracy_again) in zip(first[0], again[0], strict=True):
        assert np.array_equal(norms, norms_again)
        assert accuracy == accuracy_again
    assert all(np.array_equal(a, b) for a, b in zip(first[1], again[1], strict=True))


def test_a_warm_up_multiplies(trainer):
    trainer.restart(0)
    rates, epoch = [], trainer._epoch

    def spied(batches, its_rates):
        rates.extend(its_rates.numpy())
        return epoch(batches, its_rates)

    trainer._epoch = spied
    try:
        epochs = trainer.epochs(RATE, 1, 0)
        next(epochs), next(epochs)
    finally:
        trainer._epoch = epoch
    rising = np.array(rates[:21])
    assert rising[0] == pytest.approx(1e-4)
    assert rising[20] == pytest.approx(RATE)
    np.testing.assert_allclose(rising[1:] / rising[:-1], (RATE / 1e-4) ** (1 / 20), rtol=1e-5)
    assert set(rates[21:]) == {rates[20]}


def test_bn_statistics_are_those_of_all_training_digits(trainer):
    trainer.restart(0)
    next(trainer.epochs(RATE, 0, 0))
    train, test = trainer.accuracies().values()
    digits = load("digits")
    whole = trainer.model(digits.x_train, training=True).numpy()
    assert train == np.mean(whole.argmax(axis=1) == digits.y_train)
    answers = trainer.model(digits.x_test, training=False).numpy()
    assert test == np.mean(answers.argmax(axis=1) == digits.y_test)
    assert 0.2 < test < 1


def test_degradation_tells_of_budgets_and_first_steps():
    rows = degradation.measure(DEPTH, True, RATE, 0, 10, seed=0)
    assert [row["epochs"] for row in rows] == [10]
    assert rows[0]["train_accuracy"] > 0.95
    assert rows[0]["test_accuracy"] > 0.9
    assert 1 <= rows[0]["epochs_to_90"] <= 6
    # Before the first step the weights have the norm of He's initialisation, sqrt(2 x 16).
    assert rows[0]["step0_first_weight"] == pytest.approx(np.sqrt(32), rel=0.1)
    assert {name.split("_")[0] for name in rows[0] if name.endswith("_first_update")} == {
        *("step0", "step1", "step5", "step20", "end")
    }


def test_degradation_gives_both_kinds_the_same_rates():
    grid = degradation.STUDY.grid
    assert {c["depth"] for c in grid} == {8, 20, 56, 110}
    every = {(rate, warmup) for rate in (0.03, 0.1, 0.3) for warmup in (False, True)}
    tried_of = {8: every, 20: every, 56: every, 110: {(0.1, False), (0.1, True), (0.3, True)}}
    for depth, of_depth in tried_of.items():
        for shortcut in (False, True):
            tried = {
                (c["learning_rate"], c["warmup"] > 0)
                for c in grid
                if (c["depth"], c["shortcut"]) == (depth, shortcut)
            }
            assert tried >= of_depth
    assert max(degradation.BUDGETS) == max(c["budget"] for c in grid)
