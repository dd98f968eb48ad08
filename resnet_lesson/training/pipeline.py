"""Batches as a function of seed, epoch and step: an interrupted epoch is repeated exactly."""

from typing import Any

import numpy as np

from ..runtime import tf
from .config import TrainingConfig


def batches(
    images: np.ndarray, labels: np.ndarray, config: TrainingConfig, first_epoch: int = 0
) -> Any:
    """Training batches from the start of an epoch to the end of the run.

    Each epoch visits the images in an order of its own, without the last ones that do not fill
    a batch; each image is cropped and flipped by its own draw.

    Args:
        images: (N, H, W, C) float32.
        labels: (N,) int64.
        config: gives batch size, padding, flip, seed and the number of epochs.
        first_epoch: counted from 0.

    Returns:
        A ``tf.data.Dataset`` of (batch_size, H, W, C) images and (batch_size,) labels, with
        ``config.steps_per_epoch(N)`` an epoch.

    Raises:
        ValueError: not one full batch; or more padding than there are pixels to mirror.
    """
    steps, sides = config.steps_per_epoch(len(images)), images.shape[1:3]
    if config.padding >= min(sides):
        raise ValueError(
            f"padding must be less than the images' sides {sides}, received {config.padding}"
        )
    pixels, white = as_bytes(images)
    with tf.device("CPU"):  # where tf.data works; a GPU's memory is for the network
        # A tensor from outside: TensorFlow would multiply by the reciprocal of a constant.
        pixels, labels, white = tf.constant(pixels), tf.constant(labels), tf.constant(white)
    order_seed, augment_seed = tf.unstack(tf.random.split([config.seed, 0], 2))

    def epoch(number: Any) -> Any:
        """The step and the (batch_size,) indices of each of the epoch's batches."""
        seed = tf.random.fold_in(order_seed, tf.cast(number, tf.int32))
        order = tf.random.experimental.stateless_shuffle(tf.range(len(pixels)), seed)
        order = tf.reshape(order[: steps * config.batch_size], (steps, config.batch_size))
        return tf.data.Dataset.from_tensor_slices(
            (number * steps + tf.range(steps, dtype=tf.int64), order)
        )

    def batch(step: Any, indices: Any) -> tuple[Any, Any]:
        seed = tf.random.fold_in(augment_seed, tf.cast(step, tf.int32))
        augmented = augment(tf.gather(pixels, indices), config.padding, config.flip, seed)
        return tf.cast(augmented, tf.float32) / white, tf.gather(labels, indices)

    epochs = tf.data.Dataset.range(first_epoch, config.epochs)
    return epochs.flat_map(epoch).map(batch, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


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


def evaluation_batches(images: np.ndarray, labels: np.ndarray) -> Any:
    """The test images, (N, H, W, C), and labels, (N,), in order and in few batches."""
    with tf.device("CPU"):
        return tf.data.Dataset.from_tensor_slices((images, labels)).batch(500).cache()


def augment(images: Any, padding: int, flip: bool, seed: Any) -> Any:
    """Pad by reflection, crop to the original size, and mirror half: each image by its own draw.

    With black frames, which only training images have, BN's averages would not fit test images.

    Args:
        images: (B, H, W, C).
        padding: pixels on each side, fewer than an image has; 0 crops nothing.
        flip: whether to mirror.
        seed: (2,) integers; the same ones draw the same.
    """
    batch, height, width, _ = images.shape
    crop_seed, flip_seed = tf.unstack(tf.random.split(seed, 2))
    corner = tf.random.stateless_uniform((2, batch, 1), crop_seed, 0, 2 * padding + 1, tf.int32)
    rows, columns = corner[0] + tf.range(height), corner[1] + tf.range(width)
    if flip:
        mirrored = tf.random.stateless_uniform((batch, 1), flip_seed) < 0.5
        columns = tf.where(mirrored, columns[:, ::-1], columns)
    frame = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
    padded = tf.pad(images, frame, "REFLECT")
    # Two look-ups, first of rows, then of columns, make all crops without a loop over images.
    cropped = tf.gather(padded, rows, axis=1, batch_dims=1)
    return tf.gather(cropped, columns, axis=2, batch_dims=1)
