"""Other people's networks, unchanged, under probe and monitor: against the backend's gradients."""

import keras_hub
import numpy as np
import pytest
from independent import gradients

from resnet_lesson import GradientMonitor, gradient_norms
from resnet_lesson.backend import NAME, keras, set_seed

ops = keras.ops


def application(name):
    return getattr(keras.applications, name)(
        weights=None, include_top=False, pooling="avg", input_shape=(64, 64, 3)
    )


def hub_resnet():
    return keras_hub.models.ResNetBackbone(
        input_conv_filters=[64],
        input_conv_kernel_sizes=[3],
        stackwise_num_filters=[64, 128],
        stackwise_num_blocks=[1, 1],
        stackwise_num_strides=[1, 2],
        block_type="basic_block",
        use_pre_activation=True,
        image_shape=(32, 32, 3),
    )


def hub_transformer():
    return keras_hub.models.GPT2Backbone(
        vocabulary_size=50,
        num_layers=2,
        num_heads=2,
        hidden_dim=16,
        intermediate_dim=32,
        max_sequence_length=8,
        dropout=0,
    )


NETWORKS = {
    "MobileNetV2": lambda: application("MobileNetV2"),
    "ResNet50V2": lambda: application("ResNet50V2"),
    "ConvNeXtTiny": lambda: application("ConvNeXtTiny"),
    "hub_resnet": hub_resnet,
    "hub_transformer": hub_transformer,
}
# Elsewhere one of each kind, as a deep one takes a minute to compile.
HERE = NETWORKS if NAME == "tensorflow" else ["hub_resnet", "hub_transformer"]


def batch(model):
    rng = np.random.default_rng(0)
    if isinstance(model.input, dict):
        tokens = rng.integers(0, 50, (4, 8)).astype("int32")
        return {"token_ids": tokens, "padding_mask": np.ones((4, 8), "int32")}
    return rng.standard_normal((4, *model.input_shape[1:])).astype("float32")


@pytest.mark.slow
@pytest.mark.parametrize("name", HERE)
def test_published_networks_run_unchanged(name):
    set_seed(0)
    model = NETWORKS[name]()
    x = batch(model)
    y = np.zeros_like(ops.convert_to_numpy(model(x)))
    expected = gradients(model, x, lambda out: ops.mean(ops.square(out)))
    exact = {
        path.removesuffix("/kernel").removesuffix("/embeddings"): np.linalg.norm(value)
        for path, value in expected.items()
    }
    largest = float(max(exact.values()))

    def holds(layer, found, tolerance=1e-3):
        assert found == pytest.approx(exact[layer], rel=tolerance, abs=1e-6 * largest), layer

    for norms in gradient_norms(model, x, y, "mse", which="all"):
        holds(norms.layer, norms.gradient_norm)
    monitor = GradientMonitor(which="all")
    model.compile(keras.optimizers.SGD(1e-3), "mse")
    model.fit(x, y, batch_size=4, verbose=0, callbacks=[monitor])
    records = monitor.records
    assert len(records["layers"]) == len(expected)
    for layer, found in zip(records["layers"], records["gradient_norm"][0], strict=True):
        holds(layer, found, 1e-2)  # a compiled step rounds otherwise, and fifty BN layers show it
    assert records["loss"][0] > 0
