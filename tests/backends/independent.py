"""Gradients by the backend itself, without this package's probe."""

import numpy as np

from resnet_lesson.backend import NAME, keras

ops = keras.ops


def cross_entropy(y):
    """Of probabilities (B, classes), for labels (B,)."""
    places = ops.convert_to_tensor(y[:, None])
    return lambda p: -ops.mean(ops.log(ops.take_along_axis(p, places, axis=1)))


def gradients(model, x, loss):
    """Those of ``loss(model(x))`` in training, by the trainable weights' paths."""
    values = {"tensorflow": _tensorflow, "jax": _jax, "torch": _torch}[NAME](model, x, loss)
    paths = [weight.path.removeprefix(f"{model.name}/") for weight in model.trainable_weights]
    return dict(zip(paths, values, strict=True))


def _tensorflow(model, x, loss):
    import tensorflow as tf

    weights = [weight.value for weight in model.trainable_weights]
    with tf.GradientTape() as tape:
        value = loss(model(x, training=True))
    return [tf.convert_to_tensor(found).numpy() for found in tape.gradient(value, weights)]


def _jax(model, x, loss):
    import jax

    others = [variable.value for variable in model.non_trainable_variables]

    @jax.jit
    def value(weights):
        return loss(model.stateless_call(weights, others, x, training=True)[0])

    return list(map(np.asarray, jax.grad(value)([w.value for w in model.trainable_weights])))


def _torch(model, x, loss):
    model.zero_grad()
    x = keras.tree.map_structure(ops.convert_to_tensor, x)
    loss(model(x, training=True)).backward()
    return [weight.value.grad.numpy() for weight in model.trainable_weights]
