"""Batches as a function of seed, epoch and step: an interrupted epoch comes again the same."""

from ..runtime import tf


def batches(images, labels, config, first_epoch=0):
    """Training batches from the start of an epoch to the end of the run.

    Each epoch visits the images in an order of its own, without the last ones that do not fill
    a batch; each image is cropped and flipped by its own draw.

    Args:
        images: (N, H, W, C) float32.
        labels: (N,) int64.
        config: a ``TrainingConfig``.
        first_epoch: counted from 0.

    Returns:
        A ``tf.data.Dataset`` of (batch_size, H, W, C) images and (batch_size,) labels, with
        ``steps_per_epoch`` of them an epoch.

    Raises:
        ValueError: not one full batch; or more padding than there are pixels to mirror.
    """
    steps, sides = steps_per_epoch(len(images), config), images.shape[1:3]
    if config.padding >= min(sides):
        raise ValueError(
            f"padding must be less than the images' sides {sides}, received {config.padding}"
        )
    with tf.device("CPU"):  # where tf.data works; a GPU's memory is for the network
        images, labels = tf.constant(images), tf.constant(labels)
    orders, draws = tf.unstack(tf.random.split([config.seed, 0], 2))

    def epoch(number):
        seed = tf.random.fold_in(orders, tf.cast(number, tf.int32))
        order = tf.random.experimental.stateless_shuffle(tf.range(len(images)), seed)
        order = tf.reshape(order[: steps * config.batch_size], (steps, config.batch_size))
        return tf.data.Dataset.from_tensor_slices(
            (number * steps + tf.range(steps, dtype=tf.int64), order)
        )

    def batch(step, chosen):
        seed = tf.random.fold_in(draws, tf.cast(step, tf.int32))
        drawn = augment(tf.gather(images, chosen), config.padding, config.flip, seed)
        return drawn, tf.gather(labels, chosen)

    numbers = tf.data.Dataset.range(first_epoch, config.epochs)
    return numbers.flat_map(epoch).map(batch, tf.data.AUTOTUNE).prefetch(tf.data.AUTOTUNE)


def steps_per_epoch(images, config):
    """Full batches in so many images."""
    if images < config.batch_size:
        raise ValueError(
            f"batch_size must be at most the {images} training images, received {config.batch_size}"
        )
    return images // config.batch_size


def augment(images, padding, flip, seed):
    """Pad by reflection, crop to the size before, and mirror half: each image by its own draw.

    Black frames would be in training images only: the norms would count on them in all.

    Args:
        images: (B, H, W, C).
        padding: pixels on each side, fewer than an image has; 0 crops nothing.
        flip: whether to mirror.
        seed: (2,) integers; the same ones draw the same.
    """
    batch, height, width, _ = images.shape
    places, mirrors = tf.unstack(tf.random.split(seed, 2))
    corner = tf.random.stateless_uniform((2, batch, 1), places, 0, 2 * padding + 1, tf.int32)
    rows, columns = corner[0] + tf.range(height), corner[1] + tf.range(width)
    if flip:
        mirrored = tf.random.stateless_uniform((batch, 1), mirrors) < 0.5
        columns = tf.where(mirrored, columns[:, ::-1], columns)
    frame = [[0, 0], [padding, padding], [padding, padding], [0, 0]]
    padded = tf.pad(images, frame, "REFLECT")
    # All crops in two look-ups, first of rows, then of columns, with no loop over the images.
    cropped = tf.gather(padded, rows, axis=1, batch_dims=1)
    return tf.gather(cropped, columns, axis=2, batch_dims=1)
