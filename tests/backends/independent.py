"""Gradients by the backend itself, without this package's probe: cross-entropy of a softmax."""

import numpy as np

from resnet_lesson.backend import NAME, keras


def gradients(model, x, y):
    """Those of all trainable weights, by the weights' paths."""
    values = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[NAME](model, x, y)
    paths = [weight.path.removeprefix(f"{model.name}/") for weight in model.trainable_weights]
    return dict(zip(paths, values, strict=True))


def _tensorflow(model, x, y):
    import tensorflow as tf

    weights = [weight.value for weight in model.trainable_weights]
    with tf.GradientTape() as tape:
        chosen = tf.gather(model(x, training=True), y, batch_dims=1)
        loss = -tf.reduce_mean(tf.math.log(chosen))
    return [gradient.numpy() for gradient in tape.gradient(loss, weights)]


def _jax(model, x, y):
    import jax

    others = [variable.value for variable in model.non_trainable_variables]

    def loss(weights):
        probabilities, _ = model.stateless_call(weights, others, x, training=True)
        return -jax.numpy.log(probabilities[np.arange(len(y)), y]).mean()

    return list(map(np.asarray, jax.grad(loss)([w.value for w in model.trainable_weights])))


def _torch(model, x, y):
    import torch

    model.zero_grad()
    probabilities = model(keras.ops.convert_to_tensor(x), training=True)
    loss = -torch.log(probabilities[torch.arange(len(y)), torch.tensor(y)]).mean()
    loss.backward()
    return [weight.value.grad.numpy() for weight in model.trainable_weights]
