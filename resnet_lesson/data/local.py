"""A labelled image data set from files of one's own: an ``.npz``, an archive, or pictures."""

import contextlib
import math
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from ..files import AnyPath, expand_path
from . import cifar_archive
from .errors import check_complete, naming_damage

MOST = 100_000  # images of a split
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
SPLITS = ("train", "test")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")


def read(
    path: AnyPath, shape: tuple[int, int, int], class_names: Sequence[str]
) -> tuple[np.ndarray, ...]:
    """``x_train``, ``y_train``, ``x_test``, ``y_test`` of a balanced data set, checked.

    Args:
        path: an ``.npz`` with four arrays of these names, labels counted from 0; a folder with
            ``train`` and ``test`` in it, each with one folder of pictures for each class (hidden
            files are ignored); or CIFAR-10's own archive, or the folder of batches in it.
        shape: (H, W, C) of an image.
        class_names: in the order of the labels.

    Returns:
        Images uint8, (N, *shape), and labels int64, (N,), of both splits.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: it is damaged, incomplete or something else; says where.
    """
    path = expand_path(path)
    if not path.exists():
        raise FileNotFoundError(f"no file or folder {path}")
    if cifar_archive.is_archive(path):
        arrays = cifar_archive.read(path, shape)
    elif path.is_dir():
        arrays = _from_folder(path, class_names)
    else:
        arrays = _from_npz(path, shape)
    checked: list[np.ndarray] = []
    for split in SPLITS:
        with _naming_place(f"{path}, {split}"):
            images, labels = arrays[f"x_{split}"], arrays[f"y_{split}"]
            _check_kind(images, labels, shape)
            checked += [images, _balanced(labels, class_names)]
    return tuple(checked)


@contextlib.contextmanager
def _naming_place(place: str) -> Iterator[None]:
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


class _Head(NamedTuple):
    """Shape and type of an array in a file, by its header."""

    shape: tuple[int, ...]
    dtype: np.dtype


def _from_npz(path: Path, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    kind = "an .npz of plain arrays"
    with path.open("rb") as file:
        with naming_damage(path, kind):
            archive = zipfile.ZipFile(file)
            names = [name for name in ARRAYS if f"{name}.npy" in archive.namelist()]
            heads = {name: _head(archive, f"{name}.npy") for name in names}
        check_complete(path, ARRAYS, heads)
        for split in SPLITS:
            # Before they are unpacked: a small file can hold more than the memory does.
            with _naming_place(f"{path}, {split}"):
                _check_kind(heads[f"x_{split}"], heads[f"y_{split}"], shape)
        with naming_damage(path, kind):
            return {name: _array(archive, f"{name}.npy") for name in ARRAYS}


def _head(archive: zipfile.ZipFile, name: str) -> _Head:
    with archive.open(name) as file:
        # np.save writes this version for plain arrays; a later one's header may be very large.
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name} has another format than 1.0")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject:
            raise ValueError(f"{name} holds objects")
        if file.tell() + math.prod(shape) * dtype.itemsize != archive.getinfo(name).file_size:
            raise ValueError(f"{name} is not as long as it says")
    return _Head(shape, dtype)


def _array(archive: zipfile.ZipFile, name: str) -> np.ndarray:
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _from_folder(path: Path, class_names: Sequence[str]) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        folder = path / split
        folders = {child.name for child in _visible(folder) if child.is_dir()}
        if folders != set(class_names):
            raise ValueError(
                f"{folder} must hold one folder for each of {', '.join(class_names)}, received "
                f"{', '.join(sorted(folders)) or 'none'}"
            )
        images: list[np.ndarray] = []
        labels: list[int] = []
        for label, name in enumerate(class_names):
            files = [file for file in _visible(folder / name) if file.suffix.lower() in PICTURES]
            images += [_picture(file) for file in files]
            labels += [label] * len(files)
        arrays |= {f"x_{split}": _stack(images, folder), f"y_{split}": np.array(labels, int)}
    return arrays


def _visible(folder: Path) -> list[Path]:
    """Files and folders in it, without those that JupyterLab, macOS and others hide there."""
    if not folder.is_dir():
        return []
    return sorted(child for child in folder.iterdir() if not child.name.startswith("."))


def _picture(path: Path) -> np.ndarray:
    from ..backend import native
    from ..backend.pictures import decoded

    try:
        if path.suffix.lower() == ".bmp":  # TensorFlow does not read its palette
            return decoded(path.read_bytes())
        return native.decoded(path.read_bytes())
    except (ValueError, OSError) as error:
        raise ValueError(
            f"{path} must be a whole picture, received a damaged or other file: copy it again"
        ) from error


def _stack(images: list[np.ndarray], folder: Path) -> np.ndarray:
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        sizes = " and ".join(map(str, sorted(shapes)))
        raise ValueError(f"{folder} must hold pictures of one size, received {sizes or 'none'}")
    return np.stack(images)


def _check_kind(
    images: np.ndarray | _Head, labels: np.ndarray | _Head, shape: tuple[int, int, int]
) -> None:
    """Refuse arrays, or heads of arrays, of another type or shape."""
    if images.dtype != np.uint8 or images.shape[1:] != tuple(shape):
        raise ValueError(
            f"images must be uint8 of shape {('N', *shape)}, received {images.dtype} of shape "
            f"{images.shape}"
        )
    count = images.shape[0]
    if labels.shape not in [(count,), (count, 1)] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be one whole number for each of {count} images, received "
            f"{labels.dtype} of shape {labels.shape}"
        )
    if not 1 <= count <= MOST:
        bound = "at least 1 image" if count == 0 else f"at most {MOST:,} images"
        raise ValueError(f"there must be {bound}, received {count}")


def _balanced(labels: np.ndarray, class_names: Sequence[str]) -> np.ndarray:
    """Labels from 0 as int64, (N,); refused unless all classes have equally many."""
    labels = labels.reshape(-1).astype(np.int64)
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(
            f"labels must be 0 to {len(class_names) - 1}, received {labels.min()} to {labels.max()}"
        )
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() != counts.max():
        # An incomplete copy, or another data set: in this one all classes have equally many.
        fewest, most = class_names[int(counts.argmin())], class_names[int(counts.argmax())]
        raise ValueError(
            "each class must have as many images as the others, received "
            f"{counts.min()} of {fewest} and {counts.max()} of {most}"
        )
    return labels
