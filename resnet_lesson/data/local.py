"""A labelled image data set from files of one's own: an ``.npz``, an archive, or pictures."""

import contextlib
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from ..files import AnyPath, expand_path
from ..untrusted import (
    Head,
    array_heads,
    check_complete,
    check_no_stream,
    naming_damage,
    read_arrays,
    read_file,
)
from . import cifar_archive

MOST = 100_000  # images of a split
ARRAYS = ("x_train", "y_train", "x_test", "y_test")
SPLITS = ("train", "test")
LARGEST_PICTURE = 10_000_000  # bytes, whatever a camera has written beside the pixels
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
    with naming_damage(path, "a data set in a file or folder", "copy it to one"):
        check_no_stream(path)
    if cifar_archive.is_archive(path):
        arrays = cifar_archive.read(path, shape)
    elif path.is_dir():
        arrays = _from_folder(path, shape[:2], class_names)
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


def _from_npz(path: Path, shape: tuple[int, int, int]) -> dict[str, np.ndarray]:
    kind = "an .npz of plain arrays"
    with path.open("rb") as file:
        with naming_damage(path, kind):
            archive = zipfile.ZipFile(file)
            names = [name for name in ARRAYS if f"{name}.npy" in archive.namelist()]
            heads = array_heads(archive, names)
        check_complete(path, ARRAYS, heads)
        for split in SPLITS:
            # Before they are unpacked: a small file can hold more than the memory does.
            with _naming_place(f"{path}, {split}"):
                _check_kind(heads[f"x_{split}"], heads[f"y_{split}"], shape)
        with naming_damage(path, kind):
            return read_arrays(archive, heads)


def _from_folder(
    path: Path, size: tuple[int, int], class_names: Sequence[str]
) -> dict[str, np.ndarray]:
    arrays: dict[str, np.ndarray] = {}
    for split in SPLITS:
        folder = path / split
        folders = {child.name for child in _visible(folder) if child.is_dir()}
        if folders != set(class_names):
            raise ValueError(
                f"{folder} must hold one folder for each of {', '.join(class_names)}, received "
                f"{', '.join(map(repr, sorted(folders))) or 'none'}"  # with what cannot be seen
            )
        images: list[np.ndarray] = []
        labels: list[int] = []
        for label, name in enumerate(class_names):
            files = [file for file in _visible(folder / name) if file.suffix.lower() in PICTURES]
            images += [_picture(file, size) for file in files]
            labels += [label] * len(files)
        if not images:
            raise ValueError(f"{folder} must hold pictures ({', '.join(PICTURES)}), received none")
        arrays |= {f"x_{split}": np.stack(images), f"y_{split}": np.array(labels)}
    return arrays


def _visible(folder: Path) -> list[Path]:
    """Files and folders in it, without those that JupyterLab, macOS and others hide there."""
    if not folder.is_dir():
        return []
    return sorted(child for child in folder.iterdir() if not child.name.startswith("."))


def _picture(path: Path, size: tuple[int, int]) -> np.ndarray:
    """(H, W, 3) of uint8, of a file with a picture of ``size``, (H, W)."""
    from ..backend import native, pictures

    with naming_damage(path, "a whole picture, PNG, JPEG or BMP"):
        content = read_file(path, LARGEST_PICTURE)
        found = pictures.size(content)  # before it is unpacked, to whatever size it claims
        # TensorFlow does not read the palette of a BMP.
        read = pictures.decoded if path.suffix.lower() == ".bmp" else native.decoded
        image = read(content) if found == size else None
    if image is None:
        raise ValueError(
            f"{path} must have {size[0]} x {size[1]} pixels, received {found[0]} x {found[1]}"
        )
    return image


def _check_kind(
    images: np.ndarray | Head, labels: np.ndarray | Head, shape: tuple[int, int, int]
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
    labels = labels.reshape(-1)
    if labels.min() < 0 or labels.max() >= len(class_names):
        raise ValueError(
            f"labels must be 0 to {len(class_names) - 1}, received {labels.min()} to {labels.max()}"
        )
    counts = np.bincount(labels.astype(np.int64), minlength=len(class_names))
    if counts.min() != counts.max():
        # An incomplete copy, or another data set: in this one all classes have equally many.
        fewest, most = class_names[int(counts.argmin())], class_names[int(counts.argmax())]
        raise ValueError(
            "each class must have as many images as the others, received "
            f"{counts.min()} of {fewest} and {counts.max()} of {most}"
        )
    return labels.astype(np.int64)
