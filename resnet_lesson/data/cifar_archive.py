"""CIFAR-10's own archive, ``cifar-10-python.tar.gz``, and the folder of batches in it."""

import gzip
import tarfile
from pathlib import PurePosixPath

import numpy as np

from . import pickled

BATCHES = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
_NAMES = (*BATCHES["train"], *BATCHES["test"])
# Bytes, at most: a batch has 31 million, the unpacked archive 186 million; half as many again where
# Python 3 has written them for Python 2.
_BATCH, _ARCHIVE = 50_000_000, 300_000_000


def is_one(path):
    """Whether this is the place to read it from: by its name, or by what the folder has."""
    if path.is_dir():
        return any((path / name).exists() for name in _NAMES)
    return path.name.lower().endswith((".tar.gz", ".tgz"))


def read(path, shape):
    """``x_train``, ``y_train``, ``x_test``, ``y_test`` as a dict of arrays of integers.

    Nothing that the files name is run, and nothing is unpacked to the disk.

    Args:
        path: the archive, or the folder.
        shape: (H, W, C) of an image; in a batch it is a row with all of one colour, then the next.

    Raises:
        ValueError: it is damaged or incomplete; says where.
    """
    contents = _in_folder(path) if path.is_dir() else _in_archive(path)
    found = {name: _batch(content, f"{path}, {name}", shape) for name, content in contents}
    missing = [name for name in _NAMES if name not in found]
    if missing:
        raise ValueError(f"{path} must hold {', '.join(_NAMES)}, received none named {missing[0]}")
    arrays = {}
    for part, names in BATCHES.items():
        for array, batches in zip("xy", zip(*map(found.get, names), strict=True), strict=True):
            arrays[f"{array}_{part}"] = np.concatenate(batches)
    return arrays


def _in_folder(path):
    """The name and the bytes of each batch."""
    for name in _NAMES:
        file = path / name
        if file.is_file():
            if file.stat().st_size > _BATCH:
                raise _damaged(file, "a batch", "it is too large")
            yield name, file.read_bytes()


def _in_archive(path):
    """The name and the bytes of each batch."""
    with path.open("rb") as file, gzip.open(file) as unpacked:
        stream = _AtMost(unpacked, _ARCHIVE)
        try:
            with tarfile.open(fileobj=stream, mode="r|") as archive:
                for member in archive:
                    name = PurePosixPath(member.name).name
                    if name in _NAMES and member.isreg():
                        if member.size > _BATCH:
                            raise ValueError(f"{name} is too large")
                        yield name, archive.extractfile(member).read()
            while stream.read(2**20):
                pass  # its checksum is at its end
        except Exception as error:  # unpacking raises whatever damaged bytes lead to
            raise _damaged(path, "the archive", error) from error


class _AtMost:
    """A stream that ends in an error where few bytes unpack to many."""

    def __init__(self, stream, most):
        self._stream, self._left = stream, most

    def read(self, size):
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError("it unpacks to too much")
        return content


def _batch(content, place, shape):
    """Images (N, H, W, C) and labels (N,), both integers."""
    height, width, channels = shape
    try:
        batch = pickled.read(content)
        missing = [name for name in ("data", "labels") if name not in batch]
        if missing:
            raise ValueError(f"it has no {missing[0]}")
        rows, labels = np.array(batch["data"]), np.array(batch["labels"])
        if rows.dtype != np.uint8 or rows.shape[1:] != (height * width * channels,):
            raise ValueError(f"its data are {rows.dtype} of shape {rows.shape}")
        if labels.dtype.kind not in "iu" or labels.shape != rows.shape[:1]:
            raise ValueError(f"its labels are {labels.dtype} of shape {labels.shape}")
    except ValueError as error:
        raise _damaged(place, "a batch", error) from error
    planes = rows.reshape(-1, channels, height, width)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels


def _damaged(place, what, why):
    words = " ".join(str(why).split())
    return ValueError(
        f"{place} must be {what} of CIFAR-10, received a damaged or other file ({words}): "
        "copy or download it again"
    )
