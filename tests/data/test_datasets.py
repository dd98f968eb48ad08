"""The data sets: shapes, ranges, one fixed split, and what a missing network says."""

import gzip
import hashlib
import shutil
from urllib.error import URLError

import numpy as np
import pytest

from resnet_lesson import load
from resnet_lesson.data import fashion_mnist


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
    """The folder of Fashion-MNIST in an empty cache for Keras."""
    (tmp_path / "keras").mkdir()  # without it, Keras takes a folder that all tests share
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    return tmp_path / "keras" / "datasets" / "fashion-mnist"


@pytest.fixture
def no_network(monkeypatch):
    def no_route(*_args, **_options):
        raise URLError("no route")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_route)


@pytest.fixture
def source(tmp_path, monkeypatch):
    """A folder from which small files with checksums of their own are "downloaded"."""
    folder = tmp_path / "source"
    folder.mkdir()
    random = np.random.default_rng(0)
    for part, count in [("train", 20), ("t10k", 10)]:
        labels = np.arange(count, dtype=np.uint8) % 10
        pixels = random.integers(0, 256, (count, 28, 28), dtype=np.uint8)
        for name, header, array in [("labels-idx1", 8, labels), ("images-idx3", 16, pixels)]:
            packed = gzip.compress(bytes(header) + array.tobytes())
            (folder / f"{part}-{name}-ubyte.gz").write_bytes(packed)
    checksums = {
        name: hashlib.sha256((folder / name).read_bytes()).hexdigest()
        for name in fashion_mnist.CHECKSUMS
    }
    monkeypatch.setattr(fashion_mnist, "CHECKSUMS", checksums)
    monkeypatch.setattr(fashion_mnist, "SOURCE", f"{folder.as_uri()}/")
    return folder


def pixels(folder, part):
    packed = (folder / f"{part}-images-idx3-ubyte.gz").read_bytes()
    return np.frombuffer(gzip.decompress(packed)[16:], np.uint8).reshape(-1, 28, 28)


def test_fashion_mnist_is_downloaded_once(cache, source, monkeypatch):
    data = load("fashion_mnist")
    parts = [(data.x_train, data.y_train, "train"), (data.x_test, data.y_test, "t10k")]
    for images, labels, part in parts:
        assert images.shape == (len(labels), 28, 28, 1)
        assert (images.dtype, labels.dtype) == (np.float32, np.int64)
        np.testing.assert_allclose(images[..., 0] * 255, pixels(source, part), rtol=1e-6)
        assert images.min() >= 0
        assert images.max() <= 1
    assert (len(data.y_train), len(data.y_test)) == (20, 10)
    assert len(data.class_names) == 10
    assert data.class_names[data.y_train[9]] == "ankle boot"
    monkeypatch.setattr(fashion_mnist, "SOURCE", "file:///nowhere/")
    assert np.array_equal(load("fashion_mnist").x_train, data.x_train)
    assert {path.name for path in cache.iterdir()} == {*fashion_mnist.CHECKSUMS}


@pytest.mark.parametrize("name", fashion_mnist.CHECKSUMS)
@pytest.mark.parametrize("where", ["cache", "source"])
def test_another_file_is_refused_before_it_is_decoded(cache, source, name, where, monkeypatch):
    """Whether it lies in the cache, or has just been downloaded."""
    expected = fashion_mnist.CHECKSUMS[name]
    if where == "cache":
        shutil.copytree(source, cache)
    other = gzip.compress(bytes(16) + bytes(784))
    ({"cache": cache, "source": source}[where] / name).write_bytes(other)
    decoded = []
    monkeypatch.setattr(fashion_mnist.gzip, "decompress", decoded.append)
    monkeypatch.setattr(fashion_mnist, "_images", lambda content: content)
    monkeypatch.setattr(fashion_mnist, "_labels", lambda content: content)
    with pytest.raises(ValueError, match="SHA-256") as caught:
        load("fashion_mnist")
    assert str(caught.value) == (
        f"{cache / name} must have the SHA-256 of its authors' file, {expected}, received "
        f"{hashlib.sha256(other).hexdigest()}: remove it, and it is downloaded again, from "
        f"{fashion_mnist.SOURCE}{name}"
    )
    assert other not in decoded
    assert (cache / name).read_bytes() == other  # it is the user's to remove


def test_each_file_has_a_checksum_of_its_own(cache, source):
    shutil.copytree(source, cache)
    shutil.copy(cache / "train-labels-idx1-ubyte.gz", cache / "t10k-labels-idx1-ubyte.gz")
    with pytest.raises(ValueError, match=r"t10k-labels-idx1-ubyte\.gz must have the SHA-256"):
        load("fashion_mnist")


def test_what_was_refused_is_downloaded_again_once_it_is_removed(cache, source):
    shutil.copytree(source, cache)
    path = cache / "t10k-labels-idx1-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-1])  # what an interrupted download leaves
    with pytest.raises(ValueError, match="remove it"):
        load("fashion_mnist")
    path.unlink()
    assert load("fashion_mnist").y_test.tolist() == [*range(10)]


def test_no_network_says_what_to_do(cache, no_network):
    assert not cache.exists()
    with pytest.raises(OSError, match=r"no route.*check the network.*load\(.digits.\)") as caught:
        load("fashion_mnist")
    assert caught.type is OSError  # not the error of the network itself


def test_an_unknown_name_is_refused():
    with pytest.raises(ValueError, match=r"digits, fashion_mnist, cifar10, received 'mnist'"):
        load("mnist")
    with pytest.raises(ValueError, match="received None"):
        load(None)
