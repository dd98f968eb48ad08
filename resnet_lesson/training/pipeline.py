"""Batches as a function of seed, epoch and step: an interrupted epoch is repeated exactly."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import keras, native
from . import draws
from .config import TrainingConfig

ops = keras.ops


def batches(
    images: np.ndarray, labels: np.ndarray, config: TrainingConfig, first_epoch: int = 0
) -> Any:
    """Training batches from the start of an epoch to the end of the run.

    Each epoch visits the images in an order of its own, without the last ones that do not fill
    a batch; each image is cropped and flipped by its own draw. On every backend, the same seed
    gives the same batches.

    Args:
        images: (N, H, W, C) float32.
        labels: (N,) int64.
        config: gives batch size, padding, flip, seed and the number of epochs.
        first_epoch: counted from 0.

    Returns:
        What ``fit`` takes, of (batch_size, H, W, C) images and (batch_size,) labels, with
        ``config.steps_per_epoch(N)`` an epoch.

    Raises:
        ValueError: not one full batch; or more padding than there are pixels to mirror.
    """
    steps, (height, width) = config.steps_per_epoch(len(images)), images.shape[1:3]
    if config.padding >= min(height, width):
        raise ValueError(
            f"{config.called('padding')} must be less than the images' sides {(height, width)}, "
            f"received {config.padding}"
        )

    def batch(
        pixels: Any, white: Any, labels: Any, chosen: Any, corners: Any, mirrored: Any
    ) -> tuple[Any, Any]:
        drawn = ops.cast(augment(pixels, chosen, corners, mirrored, config.padding), "float32")
        return drawn / white, ops.take(labels, chosen, axis=0)

    count = len(images)
    return native.mapped(
        batch, (*as_bytes(images), labels), lambda: _draws(config, count, steps, first_epoch)
    )


def _draws(
    config: TrainingConfig, images: int, steps: int, first_epoch: int
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Of each batch: which images, (B,), and what ``crops`` draws for them."""
    order_seed, augment_seed = draws.split((config.seed, 0))
    size = config.batch_size
    for epoch in range(first_epoch, config.epochs):
        order = draws.permutation(draws.fold_in(order_seed, epoch), images)
        for step in range(steps):
            seed = draws.fold_in(augment_seed, epoch * steps + step)
            chosen = order[step * size : (step + 1) * size]
            yield chosen, *crops(seed, size, config.padding, config.flip)


def crops(seed: draws.Seed, size: int, padding: int, flip: bool) -> tuple[np.ndarray, np.ndarray]:
    """The corners of ``size`` crops, (2, B) rows and columns, and which to mirror, (B,)."""
    crop_seed, flip_seed = draws.split(seed)
    corners = draws.integers(crop_seed, (2, size), 2 * padding + 1)
    return corners, (draws.uniform(flip_seed, size) < 0.5) & flip


def as_bytes(images: np.ndarray) -> tuple[np.ndarray, np.float32]:
    """The images as bytes, a quarter of the memory, and what to divide these by.

    Where an image has other numbers than 0, 1/255, ... 1, the images as they are, and 1.
    """
    pixels, white = np.empty(images.shape, np.uint8), np.float32(255)
    for start in range(0, len(images), 1000):  # in parts, or the copies would be as large again
        part = images[start : start + 1000]
        codes = np.rint(np.clip(white * part, 0, 255)).astype(np.uint8)
        if not np.array_equal(codes / white, part):
            return images, np.float32(1)
        pixels[start : start + 1000] = codes
    return pixels, white


def augment(images: Any, chosen: Any, corners: Any, mirrored: Any, padding: int) -> Any:
    """Pad by reflection, crop to the original size, and mirror: each chosen image by its own draw.

    With black frames, which only training images have, BN's averages would not fit test images.

    Args:
        images: (N, H, W, C).
        chosen: (B,) their numbers.
        corners: (2, B) the crops' first rows and columns, from 0 to twice the padding.
        mirrored: (B,) of truth values.
        padding: pixels on each side, fewer than an image has; 0 crops nothing.

    Returns:
        (B, H, W, C).
    """
    _, height, width, channels = images.shape
    rows = _reflected(corners[0][:, None] + ops.arange(height, dtype="int32") - padding, height)
    columns = _reflected(corners[1][:, None] + ops.arange(width, dtype="int32") - padding, width)
    columns = ops.where(mirrored[:, None], ops.flip(columns, axis=1), columns)
    # A padded, cropped and mirrored image is one look-up of its pixels.
    places = (chosen[:, None, None] * height + rows[:, :, None]) * width + columns[:, None, :]
    return ops.take(ops.reshape(images, (-1, channels)), places, axis=0)


def _reflected(places: Any, size: int) -> Any:
    """Places on an axis of so many pixels, mirrored at the first and the last."""
    places = ops.abs(places)
    return ops.minimum(places, 2 * (size - 1) - places)


class InOrder(keras.utils.PyDataset):
    """Images, (N, H, W, C), and labels, (N,), in order and in few batches, for ``evaluate``."""

    def __init__(self, images: np.ndarray, labels: np.ndarray, batch_size: int = 500) -> None:
        super().__init__()
        self.images, self.labels, self.size = images, labels, batch_size

    def __len__(self) -> int:
        return -(-len(self.images) // self.size)

    def __getitem__(self, index: int) -> tuple[np.ndarray, np.ndarray]:
        batch = slice(index * self.size, (index + 1) * self.size)
        return self.images[batch], self.labels[batch]
