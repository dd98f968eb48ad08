"""A labelled image data set from files of one's own: an ``.npz``, or folders of pictures."""

import contextlib
import zipfile
import zlib
from pathlib import Path

import numpy as np

ARRAYS = ("x_train", "y_train", "x_test", "y_test")
PICTURES = (".png", ".jpg", ".jpeg", ".bmp")


def read(path, shape, class_names):
    """``x_train``, ``y_train``, ``x_test``, ``y_test`` of a balanced data set, checked.

    Args:
        path: an ``.npz`` with four arrays of these names, labels counted from 0, or a folder
            with ``train`` and ``test`` in it, each with one folder of pictures for each class.
        shape: (H, W, C) of an image.
        class_names: in the order of the labels.

    Returns:
        Images uint8, (N, *shape), and labels int64, (N,), of both parts.

    Raises:
        FileNotFoundError: there is no such file or folder.
        ValueError: what is there is damaged, incomplete or something else; says where.
    """
    path = Path(path).expanduser()
    if not path.exists():
        raise FileNotFoundError(f"no file or folder {path}")
    arrays = _from_folder(path, class_names) if path.is_dir() else _from_npz(path)
    found = []
    for part in ("train", "test"):
        with _about(f"{path}, {part}"):
            found += _checked(arrays[f"x_{part}"], arrays[f"y_{part}"], shape, class_names)
    return tuple(found)


@contextlib.contextmanager
def _about(place):
    try:
        yield
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from error


def _from_npz(path):
    try:
        # Without pickle a file holds numbers, and nothing that runs.
        with np.load(path, allow_pickle=False) as file:
            missing = [name for name in ARRAYS if name not in file]
            arrays = {name: file[name] for name in ARRAYS if name in file}
    except (ValueError, EOFError, OSError, zipfile.BadZipFile, zlib.error, AttributeError) as error:
        raise ValueError(
            f"{path} must be an .npz of plain arrays, received a damaged or other file "
            f"({error}): copy or download it again"
        ) from error
    if missing:
        raise ValueError(f"{path} must hold {', '.join(ARRAYS)}, received none named {missing[0]}")
    return arrays


def _from_folder(path, class_names):
    arrays = {}
    for part in ("train", "test"):
        folder = path / part
        inside = {child.name for child in folder.glob("*/")}
        if inside != set(class_names):
            raise ValueError(
                f"{folder} must hold one folder for each of {', '.join(class_names)}, received "
                f"{', '.join(sorted(inside)) or 'none'}"
            )
        images, labels = [], []
        for label, name in enumerate(class_names):
            found = sorted(x for x in (folder / name).iterdir() if x.suffix.lower() in PICTURES)
            images += [_picture(x) for x in found]
            labels += [label] * len(found)
        arrays |= {f"x_{part}": _stacked(images, folder), f"y_{part}": np.array(labels, int)}
    return arrays


def _picture(path):
    from .runtime import tf

    try:
        return tf.io.decode_image(path.read_bytes(), channels=3, expand_animations=False).numpy()
    except tf.errors.InvalidArgumentError as error:
        raise ValueError(
            f"{path} must be a whole picture, received a damaged or other file: copy it again"
        ) from error


def _stacked(images, folder):
    shapes = {image.shape for image in images}
    if len(shapes) != 1:
        sizes = " and ".join(map(str, sorted(shapes)))
        raise ValueError(f"{folder} must hold pictures of one size, received {sizes or 'none'}")
    return np.stack(images)


def _checked(images, labels, shape, class_names):
    if images.dtype != np.uint8 or images.shape[1:] != tuple(shape):
        raise ValueError(
            f"images must be uint8 of shape {('N', *shape)}, received {images.dtype} of shape "
            f"{images.shape}"
        )
    if labels.shape not in [(len(images),), (len(images), 1)] or labels.dtype.kind not in "iu":
        raise ValueError(
            f"labels must be one whole number for each of {len(images)} images, received "
            f"{labels.dtype} of shape {labels.shape}"
        )
    labels = labels.reshape(-1).astype(np.int64)
    if not len(labels):
        raise ValueError("there must be at least 1 image, received 0")
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
    return images, labels
