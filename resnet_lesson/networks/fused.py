"""Batch normalisation in training by TensorFlow's fused kernel, for models that exist already.

Keras computes it by some ten operations, each of which reads or writes the whole tensor. On a CPU
the kernel that does all in one pass is faster, and its results differ by rounding alone.
"""

import types
from typing import Any

from ..runtime import keras, tf

BN = keras.layers.BatchNormalization


def fuse_batch_norm(model: keras.Model) -> keras.Model:
    """Let the model's batch normalisation train by TensorFlow's fused kernel, from here on.

    Same weights, same files: what is saved or cloned is the plain Keras model, which a program
    that loads it may fuse again. Call it before ``fit``, or compile again after it, as Keras keeps
    the training step that it has traced.

    The kernel is for images, (B, H, W, C) with channels last. Where a layer gets anything else, is
    masked, renormalised or synchronised over devices, or does not train, Keras computes as before.
    Where oneDNN fuses a ReLU into the kernel as well, NaN becomes zero there in the forward pass;
    the gradient still is NaN.

    Args:
        model: any Keras model; changed in place.

    Returns:
        The same model.
    """
    for layer in model._flatten_layers():
        if type(layer) is BN and not layer.renorm and not layer.synchronized:
            layer.call = types.MethodType(_call, layer)
    return model


def _call(layer: Any, inputs: Any, training: bool | None = None, mask: Any = None) -> Any:
    """What ``BatchNormalization.call`` computes."""
    shape = inputs.shape
    is_image = len(shape) == 4 and layer.axis in (-1, 3) and inputs.dtype != tf.float64
    if not (training and layer.trainable and mask is None and is_image):
        return BN.call(layer, inputs, training, mask)
    ones = tf.ones(shape[-1])
    fused = tf.raw_ops.FusedBatchNormV3(
        x=tf.convert_to_tensor(inputs),
        scale=tf.cast(layer.gamma, tf.float32) if layer.scale else ones,
        offset=tf.cast(layer.beta, tf.float32) if layer.center else 0 * ones,
        mean=[],
        variance=[],
        epsilon=layer.epsilon,
        is_training=True,
    )
    count = tf.cast(tf.size(inputs) // shape[-1], tf.float32)
    # The kernel gives the unbiased variance, and Keras averages the biased one.
    variance = fused.batch_variance * tf.maximum(count - 1, 1) / count
    for average, value in (
        (layer.moving_mean, fused.batch_mean),
        (layer.moving_variance, variance),
    ):
        average.assign(average * layer.momentum + value * (1 - layer.momentum))
    return tf.cast(fused.y, layer.compute_dtype)
