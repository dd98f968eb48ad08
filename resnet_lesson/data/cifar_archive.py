"""CIFAR-10's own archive, ``cifar-10-python.tar.gz``, and the folder of batches in it."""

import gzip
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ..untrusted import check_complete, naming_damage, read_file
from . import pickled

BATCHES = {
    "train": tuple(f"data_batch_{number}" for number in range(1, 6)),
    "test": ("test_batch",),
}
_NAMES = (*BATCHES["train"], *BATCHES["test"])
# Bytes, at most: a batch has 31 million, the unpacked archive 186 million; half as many again where
# Python 3 has written them for Python 2.
_BATCH, _ARCHIVE = 50_000_000, 300_000_000


def is_archive(path: Path) -> bool:
    """Whether ``read`` is for this path: by its name, or by what the folder has."""
    if path.is_dir():
        return any((path / name).exists() for name in _NAMES)
    return path.name.lower().endswith((".tar.gz", ".tgz"))


def read(path: Path, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    """``x_train``, ``y_train``, ``x_test``, ``y_test`` as a dict of arrays of integers.

    Nothing that the files name is run, and nothing is unpacked to the disk.

    Args:
        path: the archive, or the folder.
        shape: (H, W, C) of an image; in a batch it is a row with all of one colour, then the next.

    Raises:
        ValueError: it is damaged or incomplete; says where.
    """
    contents = _folder_contents(path) if path.is_dir() else _archive_contents(path)
    batches = {name: _batch(content, f"{path}, {name}", shape) for name, content in contents}
    check_complete(path, _NAMES, batches)
    arrays: dict[str, np.ndarray] = {}
    for split, names in BATCHES.items():
        images, labels = zip(*(batches[name] for name in names), strict=True)
        arrays |= {f"x_{split}": np.concatenate(images), f"y_{split}": np.concatenate(labels)}
    return arrays


def _folder_contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """The name and the bytes of each batch."""
    for file in filter(Path.is_file, (path / name for name in _NAMES)):
        with naming_damage(file, "a batch of CIFAR-10"):
            content = read_file(file, _BATCH)
        yield file.name, content


def _archive_contents(path: Path) -> Iterator[tuple[str, bytes]]:
    """The name and the bytes of each batch."""
    kind, found = "the archive of CIFAR-10", set[str]()
    with path.open("rb") as file, gzip.open(file) as unpacked, naming_damage(path, kind):
        stream: Any = _LimitedStream(unpacked, _ARCHIVE)
        with tarfile.open(fileobj=stream, mode="r|") as archive:
            for member in archive:
                name = PurePosixPath(member.name).name
                if name in found:
                    raise ValueError(f"it has two files {name}")
                if name in _NAMES and member.isreg():
                    found.add(name)
                    if member.size > _BATCH:
                        raise ValueError(f"{name} is too large")
                    content: Any = archive.extractfile(member)
                    yield name, content.read()
        while stream.read(2**20):
            pass  # its checksum is at its end


class _LimitedStream:
    """A stream that raises an error where few bytes unpack to many."""

    def __init__(self, stream: gzip.GzipFile, limit: int) -> None:
        self._stream, self._left = stream, limit

    def read(self, size: int) -> bytes:
        content = self._stream.read(size)
        self._left -= len(content)
        if self._left < 0:
            raise ValueError("it unpacks to too much")
        return content


def _batch(
    content: bytes, place: str, shape: tuple[int, int, int]
) -> tuple[np.ndarray, np.ndarray]:
    """Images (N, H, W, C) and labels (N,), both integers."""
    height, width, channels = shape
    with naming_damage(place, "a batch of CIFAR-10"):
        batch = pickled.read(content)
        missing = [name for name in ("data", "labels") if name not in batch]
        if missing:
            raise ValueError(f"it has no {missing[0]}")
        rows, labels = batch["data"], batch["labels"]
        if not isinstance(rows, np.ndarray):
            raise ValueError("its data are no array")
        # NumPy would walk through lists of lists, however often they hold the same one.
        if isinstance(labels, list) and all(type(label) is int for label in labels):
            labels = np.array(labels)
        if not isinstance(labels, np.ndarray):
            raise ValueError("its labels are no list of whole numbers")
        if rows.dtype != np.uint8 or rows.shape[1:] != (height * width * channels,):
            raise ValueError(f"its data are {rows.dtype} of shape {rows.shape}")
        if labels.dtype.kind not in "iu" or labels.shape != rows.shape[:1]:
            raise ValueError(f"its labels are {labels.dtype} of shape {labels.shape}")
    planes = rows.reshape(-1, channels, height, width)
    return np.ascontiguousarray(planes.transpose(0, 2, 3, 1)), labels
