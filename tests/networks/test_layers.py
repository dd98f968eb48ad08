"""What holds for the layers of all networks: strength, sizes, files, channels last."""

import numpy as np
import pytest

from resnet_lesson import ResNet, build, build_cifar, residual_module
from resnet_lesson.runtime import keras, set_seed


def test_reg_reaches_every_convolution_and_the_classifier():
    for model in (build(9, 9, 1, 3, (1, 2), (4, 8, 8), reg=0.25), build_cifar(8, reg=0.25)):
        layers = [layer for layer in model.layers if hasattr(layer, "kernel")]
        assert {float(layer.kernel_regularizer.l2) for layer in layers} == {0.25}
        assert len(model.losses) == len(layers)
        penalty = sum(0.25 * float(np.sum(layer.kernel.numpy() ** 2)) for layer in layers)
        assert float(sum(model.losses)) == pytest.approx(penalty, rel=1e-4)


@pytest.mark.parametrize("kind", [np.int64, np.uint8, np.int32])
def test_numpy_arrays_and_integers_are_sizes(kind):
    stages, filters = np.array([1, 2], kind), np.array([4, 8, 240], kind)
    ours = build(kind(9), kind(9), kind(1), kind(3), [1, 2], [4, 8, 240])
    for model in (
        build(9, 9, 1, 3, stages, filters),
        ResNet.build(9, 9, 1, 3, tuple(stages), list(filters)),
    ):
        assert model.count_params() == ours.count_params()
    made = build_cifar(kind(8), input_shape=np.array([8, 6, 1], kind), base_filters=kind(4))
    assert made.input_shape == (None, 8, 6, 1)
    with pytest.raises(ValueError, match=r"filters must be a non-empty list.*received \[\]"):
        build(9, 9, 1, 3, stages, np.array([], kind))
    with pytest.raises(ValueError, match=r"stages\[0\] must be a positive integer, received 1.0"):
        build(9, 9, 1, 3, np.array([1.0, 2.0]), filters)
    with pytest.raises(ValueError, match=r"stages must be a non-empty list or tuple, received 2"):
        build(9, 9, 1, 3, kind(2), filters)
    with pytest.raises(ValueError, match=r"stages\[0\] must be a positive.*received \[1, 2\]"):
        build(9, 9, 1, 3, stages[None], filters)


def module():
    image = keras.Input((6, 6, 8))
    return keras.Model(image, residual_module(image, 8, order="original", name="unit"))


@pytest.mark.slow
@pytest.mark.parametrize(
    "make",
    [
        lambda: build_cifar(8, input_shape=(8, 8, 1)),
        lambda: build(8, 8, 1, 3, (1, 2), (4, 8, 8)),
        module,
    ],
    ids=["build_cifar", "build", "residual_module"],
)
def test_saves_and_loads_without_our_code(make, tmp_path):
    set_seed(1)
    model = make()
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    x = np.random.default_rng(0).random((3, *model.input_shape[1:])).astype("float32")
    assert np.array_equal(model(x), again(x))
    layers = [type(layer).__module__ for layer in again.layers]
    assert all(module.startswith("keras.") for module in layers)


@pytest.mark.usefixtures("channels_first")
def test_channels_last_stays_so_whatever_keras_is_set_to():
    model = build_cifar(8, input_shape=(8, 6, 1))
    assert model.get_layer("global_pool").input.shape == (None, 2, 2, 64)
    assert model(np.zeros((1, 8, 6, 1), "float32")).shape == (1, 10)
    image = keras.Input((6, 6, 8))
    assert residual_module(image, 16, 2, reduce=True).shape == (None, 3, 3, 16)
