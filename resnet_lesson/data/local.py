"""A labelled image data set from files of one's own: an ``.npz``, an archive, or pictures."""

import contextlib
import math
import zipfile
from typing import NamedTuple

import numpy as np
from PIL import Image

from ..files import expand_path
from . import cifar_archive

MOST = 100_000  # images of a part
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
PARTS = ("train", "test")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")


def read(path, shape, class_names):
    """``x_train``, ``y_train``, ``x_test``, ``y_test`` of a balanced data set, checked.

    Args:
        path: an ``.npz`` with four arrays of these names, labels counted from 0; a folder with
            ``train`` and ``test`` in it, each with one folder of pictures for each class (what is
            hidden is passed over); or CIFAR-10's own archive, or the folder of batches in it.
        shape: (H, W, C) of an image.
        class_names: in the order of the labels.

    Returns:
        Images uint8, (N, *shape), and labels int64, (N,), of both parts.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: what is there is damaged, incomplete or something else; says where.
    """
    path = expand_path(path)
    if not path.exists():
        raise FileNotFoundError(f"no file or folder {path}")
    if cifar_archive.is_one(path):
        arrays = cifar_archive.read(path, shape)
    elif path.is_dir():
        arrays = _from_folder(path, class_names)
    else:
        arrays = _from_npz(path, shape)
    found = []
    for part in PARTS:
        with _about(f"{path}, {part}"):
            images, labels = arrays[f"x_{part}"], arrays[f"y_{part}"]
            _check_kind(images, labels, shape)
            found += [images, _checked(labels, class_names)]
    return tuple(found)


@contextlib.contextmanager
def _about(place):
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


class _Head(NamedTuple):
    """What an array in a file says that it is."""

    shape: tuple
    dtype: np.dtype


def _from_npz(path, shape):
    with path.open("rb") as file:
        with _damage_told(path):
            archive = zipfile.ZipFile(file)
            found = [name for name in ARRAYS if f"{name}.npy" in archive.namelist()]
            heads = {name: _head(archive, f"{name}.npy") for name in found}
        missing = [name for name in ARRAYS if name not in found]
        if missing:
            raise ValueError(
                f"{path} must hold {', '.join(ARRAYS)}, received none named {missing[0]}"
            )
        for part in PARTS:
            with _about(f"{path}, {part}"):  # soon: a small file can unpack to more than memory
                _check_kind(heads[f"x_{part}"], heads[f"y_{part}"], shape)
        with _damage_told(path):
            return {name: _array(archive, f"{name}.npy") for name in ARRAYS}


@contextlib.contextmanager
def _damage_told(path):
    try:
        yield
    except Exception as error:  # reading raises whatever damaged bytes lead to
        words = " ".join(str(error).split())
        raise ValueError(
            f"{path} must be an .npz of plain arrays, received a damaged or other file "
            f"({words}): copy or download it again"
        ) from error


def _head(archive, name):
    with archive.open(name) as file:
        # What np.save writes for plain arrays; of later ones, the head alone may be very large.
        if np.lib.format.read_magic(file) != (1, 0):
            raise ValueError(f"{name} has another format than 1.0")
        shape, _, dtype = np.lib.format.read_array_header_1_0(file)
        if dtype.hasobject:
            raise ValueError(f"{name} holds objects")
        if file.tell() + math.prod(shape) * dtype.itemsize != archive.getinfo(name).file_size:
            raise ValueError(f"{name} is not as long as it says")
    return _Head(shape, dtype)


def _array(archive, name):
    with archive.open(name) as file:
        return np.lib.format.read_array(file, allow_pickle=False)


def _from_folder(path, class_names):
    arrays = {}
    for part in PARTS:
        folder = path / part
        inside = {child.name for child in _seen(folder) if child.is_dir()}
        if inside != set(class_names):
            raise ValueError(
                f"{folder} must hold one folder for each of {', '.join(class_names)}, received "
                f"{', '.join(sorted(inside)) or 'none'}"
            )
        images, labels = [], []
        for label, name in enumerate(class_names):
            found = [child for child in _seen(folder / name) if child.suffix.lower() in PICTURES]
            images += [_picture(child) for child in found]
            labels += [label] * len(found)
        arrays |= {f"x_{part}": _stacked(images, folder), f"y_{part}": np.array(labels, int)}
    return arrays


def _seen(folder):
    """What is in the folder, without what JupyterLab, macOS and others hide there."""
    if not folder.is_dir():
        return []
    return sorted(child for child in folder.iterdir() if not child.name.startswith("."))


def _picture(path):
    from ..runtime import tf

    try:
        if path.suffix.lower() == ".bmp":  # of which TensorFlow does not read the palette
            with Image.open(path) as picture:
                return np.asarray(picture.convert("RGB"))
        return tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()
    except (tf.errors.InvalidArgumentError, OSError) as error:
        raise ValueError(
            f"{path} must be a whole picture, received a damaged or other file: copy it again"
        ) from error


def _stacked(images, folder):
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        sizes = " and ".join(map(str, sorted(shapes)))
        raise ValueError(f"{folder} must hold pictures of one size, received {sizes or 'none'}")
    return np.stack(images)


def _check_kind(images, labels, shape):
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


def _checked(labels, class_names):
    """Labels from 0 as int64, (N,), of which each class has as many as the others."""
    labels = labels.reshape(-1).astype(np.int64)
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(
            f"labels must be 0 to {len(class_names) - 1}, received {labels.min()} to {labels.max()}"
        )
    counts = np.bincount(labels, minlength=len(class_names))
    if counts.min() != counts.max():
        # A copy that broke off, or another data set: in this one all classes have equally many.
        raise ValueError(
            f"each class must have as many images as the others, received {counts.min()} of "
            f"{class_names[counts.argmin()]} and {counts.max()} of {class_names[counts.argmax()]}"
        )
    return labels
