"""Small image data sets as arrays, each with one fixed split."""

import contextlib
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np

from ..checks import check_choice
from ..files import AnyPath
from . import fashion_mnist, local

# Where CIFAR-10 is on a machine without internet, unless the call gives a path.
CIFAR10_VARIABLE = "RESNET_LESSON_CIFAR10"


@dataclass(frozen=True)
class Dataset:
    """Images float32 in [0, 1], (N, H, W, C); labels int64, (N,); a name for each class."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]


def load(name: str, path: AnyPath | None = None) -> Dataset:
    """The data set of this name.

    Args:
        name: one of the following.
        path: for ``"cifar10"``, a file or folder to read instead of downloading.

    - ``"digits"``: 1,280 + 517 handwritten digits, 8x8x1, embedded in scikit-learn (a copy of
      the test set of UCI's Optical Recognition of Handwritten Digits), split by class.
    - ``"fashion_mnist"``: 60,000 + 10,000 pictures of clothes, 28x28x1, in the split of its
      authors (Xiao et al. 2017, arXiv 1708.07747; as many of each class in both), downloaded
      from their repository into Keras's cache on first use, and checked by checksum on each.
    - ``"cifar10"``: 50,000 + 10,000 photographs, 32x32x3 (Krizhevsky 2009, Learning Multiple
      Layers of Features from Tiny Images), downloaded into Keras's cache on first use and checked
      by checksum; or read from ``path``, or from where the environment variable
      ``RESNET_LESSON_CIFAR10`` points: its own archive, ``cifar-10-python.tar.gz``, or the folder
      ``cifar-10-batches-py`` in it; an ``.npz`` of ``x_train``, ``y_train``, ``x_test``, ``y_test``
      (uint8, labels from 0); or a folder of ``train`` and ``test``, each with a folder of pictures
      a class. Fewer images will do, as many of each class. No code in these files is run.

    Raises:
        ValueError: an unknown name; a path for another data set; damaged or other data.
        OSError: the download failed, or there is nothing at the path; says what to do.
    """
    check_choice("name", name, _LOADERS)
    if path is not None and not path:
        raise ValueError(f"path must name a file or folder, received {path!r}")
    if name == "cifar10":
        return _cifar10(path or os.environ.get(CIFAR10_VARIABLE))
    if path is not None:
        raise ValueError(f"only cifar10 is read from a path, received {path!r} for {name}")
    return _LOADERS[name]()


def _digits() -> Dataset:
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(
        digits.images, digits.target, train_size=1280, stratify=digits.target, random_state=0
    )
    names = tuple(str(digit) for digit in digits.target_names)
    return _dataset((x_train, y_train, x_test, y_test), names, brightest=16)


def _fashion_mnist() -> Dataset:
    names = (
        *("t-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    )
    with _saying_what_helps("Fashion-MNIST", "~/.keras/datasets/fashion-mnist"):
        paths = fashion_mnist.download()
    return _dataset(fashion_mnist.read(paths), names, brightest=255)


def _cifar10(path: AnyPath | None) -> Dataset:
    names = (
        *("airplane", "automobile", "bird", "cat", "deer"),
        *("dog", "frog", "horse", "ship", "truck"),
    )
    if path:
        arrays = local.read(path, (32, 32, 3), names)
    else:
        remedy = (
            "give the path of a local copy, to load or in the environment variable "
            f"{CIFAR10_VARIABLE}; or "
        )
        with _saying_what_helps("CIFAR-10", "~/.keras/datasets", remedy):
            arrays = _cifar10_of_keras()
    return _dataset(arrays, names, brightest=255)


def _cifar10_of_keras() -> tuple[np.ndarray, ...]:
    """Images and labels, (N,), of training and of test, from Keras's cache or the internet.

    Keras checks the archive and unpacks it each time, so what an interrupted download has left is
    noticed and replaced.
    """
    from ..backend import keras

    (x_train, y_train), (x_test, y_test) = keras.datasets.cifar10.load_data()
    return x_train, y_train.reshape(-1), x_test, y_test.reshape(-1)


@contextlib.contextmanager
def _saying_what_helps(title: str, cache: str, remedy: str = "") -> Iterator[None]:
    """Any error in a download says where this data set would be, and what else helps."""
    try:
        yield
    except Exception as error:  # Keras raises a bare Exception where the download fails
        raise OSError(
            f"{title} is neither in Keras's cache ({cache}) nor could it be downloaded ({error}): "
            f'check the network; or {remedy}use load("digits")'
        ) from error


_LOADERS: dict[str, Callable[..., Dataset]] = {
    "digits": _digits,
    "fashion_mnist": _fashion_mnist,
    "cifar10": _cifar10,
}
NAMES = tuple(_LOADERS)  # of what ``load`` knows


def _dataset(arrays: tuple[np.ndarray, ...], names: tuple[str, ...], brightest: int) -> Dataset:
    """Of pixels from 0 to ``brightest`` and labels, first those of training, then those of test.

    Pixels are (N, H, W) or (N, H, W, C).
    """

    def images(pixels: np.ndarray) -> np.ndarray:
        pixels = pixels.reshape(*pixels.shape[:3], -1)
        return np.divide(pixels, np.float32(brightest), dtype=np.float32)

    x_train, y_train, x_test, y_test = arrays
    return Dataset(
        images(x_train), y_train.astype(np.int64), images(x_test), y_test.astype(np.int64), names
    )
