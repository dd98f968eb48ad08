"""Fashion-MNIST: its authors' four files, in Keras's cache, each checked before it is decoded."""

import gzip
import hashlib
from pathlib import Path

import numpy as np

# The authors' repository, at the state in which it was left. Keras downloads copies from elsewhere
# and has no checksums of them.
SOURCE = (
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/"
    "b2617bb6d3ffa2e429640350f613e3291e10b141/data/fashion/"
)
# SHA-256, as TensorFlow Datasets has them for the authors' files.
CHECKSUMS = {
    f"{name}-ubyte.gz": checksum
    for name, checksum in (
        ("train-images-idx3", "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84"),
        ("train-labels-idx1", "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845"),
        ("t10k-images-idx3", "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073"),
        ("t10k-labels-idx1", "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5"),
    )
}


def download() -> list[Path]:
    """The four files in Keras's cache, where its own copies would be; unchecked.

    Raises:
        Exception: one that Keras has no copy of could not be downloaded.
    """
    from ..backend import keras

    folder = str(Path("datasets", "fashion-mnist"))
    return [
        Path(keras.utils.get_file(name, SOURCE + name, cache_subdir=folder)) for name in CHECKSUMS
    ]


def read(paths: list[Path]) -> tuple[np.ndarray, ...]:
    """Images, (N, 28, 28), and labels, (N,), of training and of test, uint8.

    Raises:
        ValueError: a file is not its authors'; says what to do.
    """
    x_train, y_train, x_test, y_test = map(_checked, paths)
    return _images(x_train), _labels(y_train), _images(x_test), _labels(y_test)


def _checked(path: Path) -> bytes:
    """What is packed in a file that is, byte for byte, its authors'."""
    content = path.read_bytes()
    found = hashlib.sha256(content).hexdigest()
    if found != CHECKSUMS[path.name]:
        raise ValueError(
            f"{path} must have the SHA-256 of its authors' file, {CHECKSUMS[path.name]}, received "
            f"{found}: remove it, and it is downloaded again, from {SOURCE}{path.name}"
        )
    return gzip.decompress(content)


def _images(content: bytes) -> np.ndarray:
    return np.frombuffer(content, np.uint8, offset=16).reshape(-1, 28, 28)


def _labels(content: bytes) -> np.ndarray:
    return np.frombuffer(content, np.uint8, offset=8)
