"""Keras set to channels first, a machine without a GPU, and layers forbidden."""

import pytest

from resnet_lesson.runtime import keras


@pytest.fixture
def channels_first():
    keras.config.set_image_data_format("channels_first")
    yield
    keras.config.set_image_data_format("channels_last")


@pytest.fixture
def no_gpu(monkeypatch):
    monkeypatch.setattr("resnet_lesson.backend.tensorflow.has_gpu", lambda: False)


@pytest.fixture
def no_layer(monkeypatch):
    def refuse(layer, *_args, **_kwargs):
        raise AssertionError(f"a layer was made: {type(layer).__name__}")

    monkeypatch.setattr(keras.layers.Layer, "__init__", refuse)
