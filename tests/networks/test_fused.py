"""The fused kernel computes what Keras's batch normalisation computes, and changes no file."""

import numpy as np
import pytest

from resnet_lesson import ResNet, build_cifar
from resnet_lesson.networks.fused import fuse_batch_norm
from resnet_lesson.runtime import keras, set_seed, tf

layers = keras.layers
RANDOM = np.random.default_rng(0)


def two(**options):
    """Two equal layers, the second one fused, with scales and offsets that are not 1 and 0."""
    pair = []
    for fused in (False, True):
        model = keras.Sequential([keras.Input((5, 6, 4)), layers.BatchNormalization(**options)])
        random = np.random.default_rng(1)
        for weight in model.weights:
            weight.assign(random.uniform(0.5, 2, weight.shape))
        pair.append(fuse_batch_norm(model) if fused else model)
    return pair


def after_a_step(model, x):
    """The output in training, the gradients of input and weights, and the moving averages."""
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = model(x, training=True)
        loss = tf.reduce_sum(tf.cast(y, tf.float32) ** 3)
    gradients = tape.gradient(loss, [x, *(w.value for w in model.trainable_weights)])
    return [y, *gradients, *model.non_trainable_weights]


@pytest.mark.parametrize(
    "options",
    [
        {"epsilon": 2e-5, "momentum": 0.9},
        {"axis": 3},
        {"scale": False},
        {"center": False},
        {"scale": False, "center": False},
    ],
)
def test_it_computes_what_keras_computes(options):
    x = 3 * RANDOM.standard_normal((7, 5, 6, 4)).astype("float32") + 1
    expected, got = (after_a_step(model, x) for model in two(**options))
    for one, other in zip(expected, got, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * np.abs(one).max())


def fused_calls(model, x, **call):
    """How often the kernel runs when the model is called on this input."""
    graph = tf.function(lambda x: model(x, **call)).get_concrete_function(tf.constant(x)).graph
    return sum(op.type == "FusedBatchNormV3" for op in graph.get_operations())


def test_it_runs_where_it_can_and_only_there():
    x = RANDOM.standard_normal((7, 5, 6, 4)).astype("float32")
    assert fused_calls(two()[0], x, training=True) == 0
    model = two()[1]
    assert fused_calls(model, x, training=True) == 1
    assert fused_calls(model, x, training=False) == 0
    model.layers[0].trainable = False
    assert fused_calls(model, x, training=True) == 0
    assert fused_calls(two(axis=1)[1], x, training=True) == 0
    assert fused_calls(two(synchronized=True)[1], x, training=True) == 0
    flat = fuse_batch_norm(keras.Sequential([keras.Input((4,)), layers.BatchNormalization()]))
    assert fused_calls(flat, x[:, 0, 0], training=True) == 0


def test_one_number_a_channel_has_no_variance():
    for model in two():
        model(np.ones((1, 1, 1, 4), "float32"), training=True)
        assert np.isfinite(model.get_weights()[3]).all()


@pytest.mark.parametrize("policy", ["mixed_bfloat16", "float64"])
def test_other_types_keep_their_own(policy):
    x = RANDOM.standard_normal((7, 5, 6, 4)).astype("float32")
    expected, got = (after_a_step(model, x) for model in two(dtype=policy))
    tolerance = 0.05 if policy == "mixed_bfloat16" else 1e-12
    for one, other in zip(expected, got, strict=True):
        assert one.dtype == other.dtype
        one, other = (np.asarray(tf.cast(each, tf.float64)) for each in (one, other))
        np.testing.assert_allclose(one, other, rtol=tolerance, atol=tolerance * np.abs(one).max())


@pytest.mark.slow
@pytest.mark.parametrize("network", ["cifar", "article"])
def test_a_network_learns_the_same(network, tmp_path):
    """Losses of a fit agree, and the saved model is the plain one."""
    x, y = RANDOM.standard_normal((96, 16, 16, 3)).astype("float32"), RANDOM.integers(0, 10, 96)
    histories = []
    for fused in (False, True):
        set_seed(0)
        if network == "cifar":
            model = build_cifar(8, input_shape=(16, 16, 3))
        else:
            model = ResNet.build(16, 16, 3, 10, (1, 1), (8, 16, 32))
        model.compile(keras.optimizers.SGD(0.01), "sparse_categorical_crossentropy")
        if fused:
            assert fuse_batch_norm(model) is model
        history = model.fit(x, y, batch_size=32, epochs=2, shuffle=False, verbose=0)
        histories.append(history.history["loss"])
    np.testing.assert_allclose(histories[1], histories[0], rtol=1e-4)
    model.save(tmp_path / "model.keras")
    plain = keras.saving.load_model(tmp_path / "model.keras")
    assert [type(layer) for layer in plain.layers] == [type(layer) for layer in model.layers]
    assert fused_calls(plain, x, training=True) == 0
    np.testing.assert_allclose(plain.predict(x, verbose=0), model.predict(x, verbose=0), rtol=1e-4)
