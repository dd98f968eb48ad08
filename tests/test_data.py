"""The data sets: shapes, ranges, one fixed split, and what a missing network says."""

import gzip
import hashlib

import numpy as np
import pytest

from resnet_lesson import load
from resnet_lesson.runtime import keras


def test_digits():
    data = load("digits")
    assert data.x_train.shape == (1280, 8, 8, 1)
    assert data.x_test.shape == (517, 8, 8, 1)
    for images, labels in [(data.x_train, data.y_train), (data.x_test, data.y_test)]:
        assert images.dtype == np.float32
        assert labels.dtype == np.int64
        assert (images.min(), images.max()) == (0, 1)
        assert len(images) == len(labels)
        shares = np.bincount(labels) / len(labels)
        np.testing.assert_allclose(shares, np.bincount(data.y_train) / 1280, atol=2e-3)
    assert data.class_names == tuple("0123456789")


def test_the_split_is_fixed():
    digest = hashlib.sha256(load("digits").y_train.tobytes()).hexdigest()
    assert digest.startswith("61041b9b0827a4a2")


def test_fashion_mnist_from_kerass_cache(tmp_path, monkeypatch):
    random = np.random.default_rng(0)
    for part, count in [("train", 20), ("t10k", 10)]:
        labels = np.arange(count, dtype=np.uint8) % 10
        pixels = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        for name, header, array in [("labels-idx1", 8, labels), ("images-idx3", 16, pixels)]:
            with gzip.open(tmp_path / f"{part}-{name}-ubyte.gz", "wb") as file:
                file.write(bytes(header) + array.tobytes())

    def cached(fname, **_options):
        return str(tmp_path / fname)

    monkeypatch.setattr(keras.src.datasets.fashion_mnist, "get_file", cached)
    data = load("fashion_mnist")
    assert data.x_train.shape == (20, 28, 28, 1)
    np.testing.assert_allclose(data.x_test[..., 0] * 255, pixels, rtol=1e-6)
    assert data.class_names[data.y_train[9]] == "ankle boot"


def test_no_network_says_what_to_do(monkeypatch):
    def fails(**_options):
        raise Exception("no route")

    monkeypatch.setattr(keras.datasets.fashion_mnist, "load_data", fails)
    with pytest.raises(OSError, match=r"no route.*load\(.digits.\)"):
        load("fashion_mnist")


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"digits, fashion_mnist, received 'mnist'"):
        load("mnist")
