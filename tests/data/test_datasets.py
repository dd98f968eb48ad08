"""The data sets: shapes, ranges, one fixed split, and what a missing network says."""

import gzip
import hashlib
from urllib.error import URLError

import numpy as np
import pytest

from resnet_lesson import load


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
    data = load("digits")
    assert data.y_train[:12].tolist() == [2, 7, 1, 2, 4, 2, 5, 5, 3, 3, 6, 3]
    assert hashlib.sha256(data.x_train.tobytes()).hexdigest().startswith("a23cc43e72622ea9")
    assert np.array_equal(data.x_test, load("digits").x_test)


def test_no_digit_is_in_both_parts():
    data = load("digits")
    train, test = ({image.tobytes() for image in part} for part in (data.x_train, data.x_test))
    assert (len(train), len(test)) == (1280, 517)  # no image occurs twice in the set
    assert not train & test


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache for Keras, and no network."""

    def no_route(*_args, **_options):
        raise URLError("no route")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_route)
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path))
    return tmp_path / "datasets" / "fashion-mnist"


def test_fashion_mnist_from_kerass_cache(cache):
    cache.mkdir(parents=True)
    random = np.random.default_rng(0)
    written = {}
    for part, count in [("train", 20), ("t10k", 10)]:
        labels = np.arange(count, dtype=np.uint8) % 10
        pixels = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        written[part] = pixels
        for name, header, array in [("labels-idx1", 8, labels), ("images-idx3", 16, pixels)]:
            with gzip.open(cache / f"{part}-{name}-ubyte.gz", "wb") as file:
                file.write(bytes(header) + array.tobytes())
    data = load("fashion_mnist")
    parts = [(data.x_train, data.y_train, "train"), (data.x_test, data.y_test, "t10k")]
    for images, labels, part in parts:
        assert images.shape == (len(labels), 28, 28, 1)
        assert (images.dtype, labels.dtype) == (np.float32, np.int64)
        np.testing.assert_allclose(images[..., 0] * 255, written[part], rtol=1e-6)
        assert images.min() >= 0
        assert images.max() <= 1
    assert (len(data.y_train), len(data.y_test)) == (20, 10)
    assert len(data.class_names) == 10
    assert data.class_names[data.y_train[9]] == "ankle boot"


def test_no_network_says_what_to_do(cache):
    assert not cache.exists()
    with pytest.raises(OSError, match=r"no route.*check the network.*load\(.digits.\)") as caught:
        load("fashion_mnist")
    assert caught.type is OSError  # not the error of the network itself


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"digits, fashion_mnist, cifar10, received 'mnist'"):
        load("mnist")
    with pytest.raises(ValueError, match="received None"):
        load(None)
