"""CIFAR-10 from Keras's cache, from an .npz and from folders, whole and damaged."""

import hashlib
import pickle
import tarfile
from urllib.error import URLError

import numpy as np
import pytest

from resnet_lesson import load
from resnet_lesson.runtime import keras

NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


def made(each=2):
    """A few images of each class, in the arrays of a local file."""
    random = np.random.default_rng(0)
    arrays = {}
    for part in ("train", "test"):
        labels = np.repeat(np.arange(10, dtype=np.uint8), each)
        shape = (len(labels), 32, 32, 3)
        arrays[f"x_{part}"] = random.integers(0, 256, shape, dtype=np.uint8)
        arrays[f"y_{part}"] = labels
    return arrays


def check_is(data, arrays):
    for part in ("train", "test"):
        images, labels = getattr(data, f"x_{part}"), getattr(data, f"y_{part}")
        assert (images.dtype, labels.dtype) == (np.float32, np.int64)
        np.testing.assert_allclose(255 * images, arrays[f"x_{part}"], rtol=1e-6)
        assert labels.tolist() == arrays[f"y_{part}"].reshape(-1).tolist()
    assert data.class_names == NAMES


@pytest.fixture
def no_network(tmp_path, monkeypatch):
    """An empty cache for Keras, and a download that fails."""

    def no_route(*_args, **_options):
        raise URLError("no route")

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", no_route)
    (tmp_path / "keras").mkdir()  # without it, Keras takes a folder that all tests share
    monkeypatch.setattr("keras.src.backend.config._KERAS_DIR", str(tmp_path / "keras"))
    monkeypatch.delenv("RESNET_LESSON_CIFAR10", raising=False)
    return tmp_path / "keras" / "datasets"


@pytest.mark.parametrize("column", [False, True])
def test_from_an_npz(tmp_path, column, no_network):
    arrays = made()
    if column:  # as Keras has its labels
        arrays |= {name: arrays[name][:, None] for name in ("y_train", "y_test")}
    np.savez(tmp_path / "c.npz", **arrays)
    check_is(load("cifar10", tmp_path / "c.npz"), arrays)


def test_from_where_the_variable_points(tmp_path, no_network, monkeypatch):
    np.savez(tmp_path / "c.npz", **made())
    monkeypatch.setenv("RESNET_LESSON_CIFAR10", str(tmp_path / "c.npz"))
    check_is(load("cifar10"), made())


def write_folders(root, arrays):
    for part in ("train", "test"):
        for index, (image, label) in enumerate(
            zip(arrays[f"x_{part}"], arrays[f"y_{part}"], strict=True)
        ):
            folder = root / part / NAMES[label]
            folder.mkdir(parents=True, exist_ok=True)
            keras.utils.save_img(folder / f"{index:03}.png", image, scale=False)


def test_from_folders_of_classes(tmp_path, no_network):
    write_folders(tmp_path, made())
    check_is(load("cifar10", tmp_path), made())


@pytest.mark.parametrize(
    ("damage", "words"),
    [
        (lambda a: {"x_train": a["x_train"][:, :28]}, r"train: images must be uint8 .*28, 32, 3"),
        (lambda a: {"x_test": a["x_test"] / 255}, r"test: images must be uint8 .*float64"),
        (lambda a: {"y_train": a["y_train"][:-1]}, r"one whole number for each of 20 images"),
        (lambda a: {"y_test": a["y_test"] / 2}, r"one whole number .*received float64"),
        (lambda a: {"y_train": np.eye(10)[a["y_train"]]}, r"received float64 of shape \(20, 10\)"),
        (lambda a: {"x_train": a["x_train"].astype(np.uint16)}, r"must be uint8 .*uint16"),
        (lambda a: {"y_test": a["y_test"] + 1}, r"labels must be 0 to 9, received 1 to 10"),
        # In int64, this would be -1.
        (lambda a: {"y_test": a["y_test"].astype(np.uint64) - 1}, f"received 0 to {2**64 - 1}"),
        (lambda a: {"y_train": a["y_train"] * 0}, r"received 0 of automobile and 20 of airplane"),
        (
            lambda a: {"x_train": a["x_train"][:19], "y_train": a["y_train"][:19]},
            r"as many images as the others, received 1 of truck and 2 of airplane",
        ),
        (
            lambda a: {"x_test": a["x_test"][:0], "y_test": a["y_test"][:0]},
            r"test: there must be at least 1 image, received 0",
        ),
        (lambda a: {"x_train": np.array([None])}, r"plain arrays, received a damaged or other"),
    ],
)
def test_wrong_arrays_are_told_apart(tmp_path, damage, words):
    arrays = made()
    np.savez(tmp_path / "c.npz", **(arrays | damage(arrays)))
    with pytest.raises(ValueError, match=words):
        load("cifar10", tmp_path / "c.npz")


@pytest.mark.parametrize(
    "content",
    [
        lambda whole: whole[: len(whole) // 2],  # half downloaded
        lambda whole: whole[:3000] + bytes(50) + whole[3050:],  # a few bytes lost
        lambda whole: b"",
        lambda whole: b"<html>Not found</html>",
        lambda whole: pickle.dumps({"x_train": 1}),
    ],
)
def test_a_damaged_file_is_named(tmp_path, content):
    path = tmp_path / "c.npz"
    np.savez(path, **made())
    path.write_bytes(content(path.read_bytes()))
    with pytest.raises(ValueError, match=r"c\.npz must be .*: copy or download it again"):
        load("cifar10", path)


def test_a_missing_array_or_file_is_named(tmp_path):
    arrays = made()
    del arrays["y_test"]
    np.savez(tmp_path / "c.npz", **arrays)
    with pytest.raises(ValueError, match="received none named y_test"):
        load("cifar10", tmp_path / "c.npz")
    with pytest.raises(FileNotFoundError, match=r"no file or folder .*other\.npz"):
        load("cifar10", tmp_path / "other.npz")


def test_damaged_folders_are_named(tmp_path):
    write_folders(tmp_path, made())
    picture = tmp_path / "train" / "cat" / "006.png"
    whole = picture.read_bytes()
    picture.write_bytes(whole[:1000])
    with pytest.raises(ValueError, match=r"cat/006\.png must be a whole picture"):
        load("cifar10", tmp_path)
    picture.unlink()  # a copy that broke off
    with pytest.raises(ValueError, match=r"train: each class .*received 1 of cat and 2"):
        load("cifar10", tmp_path)
    keras.utils.save_img(picture, np.zeros((28, 28, 3)), scale=False)
    with pytest.raises(ValueError, match=r"006\.png must have 32 x 32 pixels, received 28 x 28"):
        load("cifar10", tmp_path)
    picture.write_bytes(whole)
    (tmp_path / "test" / "ship").rename(tmp_path / "test" / "boat")
    with pytest.raises(ValueError, match=r"one folder for each of airplane, .*received .*boat"):
        load("cifar10", tmp_path)
    with pytest.raises(ValueError, match=r"train must hold one folder .*received none"):
        load("cifar10", tmp_path / "train" / "cat")


def test_only_cifar10_has_a_path():
    with pytest.raises(ValueError, match=r"only cifar10 is read from a path, received 'x'"):
        load("digits", "x")


def test_no_network_says_what_to_do(no_network):
    words = r"no route.*check the network.*RESNET_LESSON_CIFAR10.*load\(.digits.\)"
    with pytest.raises(OSError, match=words):
        load("cifar10")
    assert not [path for path in no_network.rglob("*") if path.is_file()]


@pytest.fixture
def archive(tmp_path, no_network, monkeypatch):
    """CIFAR-10's archive in small letters: where it is, and what Keras may fetch."""
    inside = tmp_path / "cifar-10-batches-py"
    inside.mkdir()
    pixels = np.zeros((10_000, 3072), np.uint8)
    pixels[:, 0] = np.arange(10_000) % 251
    labels = [index % 10 for index in range(10_000)]
    for name in (*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"):
        with (inside / name).open("wb") as file:
            pickle.dump({b"data": pixels, b"labels": labels}, file)
    path = tmp_path / "cifar-10-python.tar.gz"
    with tarfile.open(path, "w:gz", compresslevel=1) as tar:
        tar.add(inside, inside.name)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    get_file = keras.utils.get_file
    # Keras knows the checksum of the true archive.
    monkeypatch.setattr(
        "keras.src.datasets.cifar10.get_file",
        lambda **options: get_file(**(options | {"file_hash": digest})),
    )
    return path


def serve(monkeypatch, content):
    def fetch(_origin, target, _hook):
        with open(target, "wb") as file:
            file.write(content)

    monkeypatch.setattr("keras.src.utils.file_utils.urlretrieve", fetch)


@pytest.mark.slow
def test_a_download_cut_short_is_found_out_and_made_good(archive, no_network, monkeypatch):
    whole = archive.read_bytes()
    serve(monkeypatch, whole[: len(whole) // 2])
    with pytest.raises(OSError, match=r"could it be downloaded .*Incomplete or corrupted"):
        load("cifar10")
    serve(monkeypatch, whole)
    data = load("cifar10")
    assert (data.x_train.shape, data.x_test.shape) == ((50_000, 32, 32, 3), (10_000, 32, 32, 3))
    np.testing.assert_allclose(255 * data.x_test[:300, 0, 0, 0], np.arange(300) % 251, rtol=1e-6)
    assert data.y_train[:12].tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1]
    # A process killed in unpacking leaves half of it; the archive is there, the network is not.
    [unpacked] = no_network.rglob("test_batch")
    unpacked.unlink()
    serve(monkeypatch, b"")
    assert len(load("cifar10").x_test) == 10_000
