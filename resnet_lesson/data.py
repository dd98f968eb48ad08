"""Small image data sets as arrays, each with one fixed split."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Dataset:
    """Images float32 in [0, 1], (N, H, W, C); labels int64, (N,); a name for each class."""

    x_train: np.ndarray
    y_train: np.ndarray
    x_test: np.ndarray
    y_test: np.ndarray
    class_names: tuple[str, ...]


def load(name):
    """The data set of this name.

    - ``"digits"``: 1,280 + 517 handwritten digits, 8x8x1, embedded in scikit-learn (a copy of
      the test set of UCI's Optical Recognition of Handwritten Digits), split by class.
    - ``"fashion_mnist"``: 60,000 + 10,000 pictures of clothes, 28x28x1, in the split of its
      authors (Xiao et al. 2017, arXiv 1708.07747; as many of each class in both), downloaded
      into Keras's cache on first use.

    Raises:
        ValueError: an unknown name.
        OSError: the download failed; says what to do.
    """
    if name not in _LOADERS:
        raise ValueError(f"name must be one of {', '.join(_LOADERS)}, received {name!r}")
    return _LOADERS[name]()


def _digits():
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    x_train, x_test, y_train, y_test = train_test_split(
        digits.images, digits.target, train_size=1280, stratify=digits.target, random_state=0
    )
    names = tuple(str(digit) for digit in digits.target_names)
    return _dataset(x_train, y_train, x_test, y_test, names, brightest=16)


def _fashion_mnist():
    from .runtime import keras

    try:
        (x_train, y_train), (x_test, y_test) = keras.datasets.fashion_mnist.load_data()
    except Exception as error:  # Keras raises a bare Exception where the download fails
        raise OSError(
            "Fashion-MNIST is neither in Keras's cache (~/.keras/datasets/fashion-mnist) nor could "
            f'it be downloaded ({error}): check the network, or use load("digits")'
        ) from error
    names = (
        *("t-shirt", "trouser", "pullover", "dress", "coat"),
        *("sandal", "shirt", "sneaker", "bag", "ankle boot"),
    )
    return _dataset(x_train, y_train, x_test, y_test, names, brightest=255)


_LOADERS = {"digits": _digits, "fashion_mnist": _fashion_mnist}


def _dataset(x_train, y_train, x_test, y_test, names, brightest):
    def images(pixels):
        return (pixels[..., np.newaxis] / brightest).astype(np.float32)

    def labels(classes):
        return classes.astype(np.int64)

    return Dataset(images(x_train), labels(y_train), images(x_test), labels(y_test), names)
