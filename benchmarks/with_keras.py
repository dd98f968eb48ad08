"""The same networks in Keras, built and differentiated anew for every depth."""

import keras
import numpy as np
import tensorflow as tf
from keras import layers


def given(weight):
    """An initializer that returns known weights."""
    return lambda shape, dtype=None: tf.reshape(weight, shape)


def build(depth, inputs, weights, readout, normalization, shortcut):
    """The model, whose outputs are the signal at each layer's input and then the logits."""

    def bn_relu(h):
        if normalization:
            h = layers.BatchNormalization(center=False, scale=False, epsilon=2e-5)(h)
        return layers.ReLU()(h)

    def apply(h, weight):
        options = {"use_bias": False, "kernel_initializer": given(weight)}
        if len(weight.shape) == 2:
            return layers.Dense(weight.shape[-1], **options)(h)
        return layers.Conv2D(weight.shape[-1], weight.shape[0], padding="same", **options)(h)

    h = image = keras.Input(batch_shape=inputs.shape)
    signals = []
    for layer in range(depth):
        signals.append(h)
        branch = h
        for each in weights:
            branch = apply(bn_relu(branch), each[layer])
        h = layers.add([h, branch]) if shortcut else branch
    h = bn_relu(h)
    if len(h.shape) == 4:
        h = layers.GlobalAveragePooling2D()(h)
    return keras.Model(image, [*signals, apply(h, readout)])


def norms(gradients):
    """(n,) Euclidean norms of n tensors of one shape, in float64."""
    stacked = tf.cast(tf.stack(gradients), tf.float64)
    return tf.sqrt(tf.reduce_sum(stacked**2, axis=list(range(1, stacked.shape.rank))))


def prepare(options, material):
    """As in ``ours``; ``material`` is there to be read."""
    saved = np.load(material)
    weights = [saved[name] for name in sorted(saved.files) if name.startswith("weights")]
    per_layer = len(weights)
    weights = [[tf.constant(layer) for layer in each] for each in weights]
    inputs, labels, readout = (tf.constant(saved[n]) for n in ("inputs", "labels", "readout"))
    flags = options["normalization"], options["shortcut"]

    def differentiate(depth):
        model = build(depth, inputs, weights, readout, *flags)
        kernels = [weight for weight in model.trainable_weights if weight.name == "kernel"]
        with tf.GradientTape() as tape:
            tape.watch(inputs)
            *signals, logits = model(inputs, training=True)
            losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits)
            loss = tf.reduce_mean(losses)
        wanted = [[kernel.value for kernel in kernels[:-1]], signals]
        by_weight, by_signal = tape.gradient(loss, wanted)
        by_position = tf.stack(
            [norms(by_weight[position::per_layer]) for position in range(per_layer)]
        )
        rms = norms(signals) / np.sqrt(inputs.shape.num_elements())
        return np.stack([tf.norm(by_position, axis=0), norms(by_signal), rms])

    return differentiate


def versions():
    return {"tensorflow": tf.__version__, "keras": keras.__version__}
