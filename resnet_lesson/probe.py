"""How strongly one batch pulls at each kernel of a Keras classifier."""

from typing import NamedTuple

import numpy as np

from .runtime import keras, tf


class KernelNorms(NamedTuple):
    """What ``gradient_norms`` says of one kernel."""

    layer: str
    gradient_norm: float
    weight_norm: float


def gradient_norms(model, x, y, loss=None):
    """Gradient and weight norm of every kernel, input side first; the model stays as it was.

    The forward pass runs in training mode. The gradient is of the data loss alone: the pull of
    an L2 penalty would put a floor under every vanishing curve.

    Args:
        model: a built Keras classifier with one output.
        x: (B, ...) a batch as the model takes it.
        y: (B, ...) labels as the loss takes them.
        loss: a Keras loss or its name. None takes the loss the model was compiled with, or else
            sparse categorical cross-entropy of probabilities.

    Returns:
        A list of ``KernelNorms`` (Euclidean norms), one for each trainable weight whose name is
        ``kernel`` or ends in ``_kernel``. ``layer`` is the place in the model; the name of the
        weight is added where it is not simply ``kernel``.

    Raises:
        ValueError: a model that is not built, has no kernels or has a loss for each of several
            outputs; x and y of different lengths, or empty.
    """
    kernels = _kernels(model)
    loss = _loss(model, loss)
    if len(x) != len(y) or len(x) == 0:
        raise ValueError(
            f"x and y must be of one length, at least 1, received {len(x)} and {len(y)}"
        )
    before = [tf.identity(variable.value) for variable in model.variables]
    try:
        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch([kernel.value for kernel in kernels])
            value = loss(y, model(x, training=True))
        gradients = tape.gradient(
            value,
            [kernel.value for kernel in kernels],
            unconnected_gradients=tf.UnconnectedGradients.ZERO,
        )
    finally:
        # A training-mode pass moves the averages of BN and the seeds of dropout.
        for variable, value_before in zip(model.variables, before, strict=True):
            variable.assign(value_before)
    return [
        KernelNorms(_place(kernel, model), norm(gradient), norm(kernel.value))
        for kernel, gradient in zip(kernels, gradients, strict=True)
    ]


def norm(values):
    """The Euclidean norm, zero or infinite only when the entries are.

    Squares leave the range of float32 long before the entries do, so the largest entry is
    divided out first.
    """
    values = np.asarray(values, dtype=np.float64)
    largest = np.max(np.abs(values), initial=0.0)
    if largest == 0 or not np.isfinite(largest):
        return float(largest)
    return float(largest * np.linalg.norm(values / largest))


def _kernels(model):
    if not model.built:
        raise ValueError(
            f"the model must be built before it can be probed, received {model.name!r} unbuilt: "
            "call it on a batch once"
        )
    return _trainable_kernels(model)


def _trainable_kernels(model):
    kernels = [
        weight
        for weight in model.trainable_weights
        if weight.name == "kernel" or weight.name.endswith("_kernel")
    ]
    if not kernels:
        raise ValueError(
            f"the model must have a trainable kernel, received {model.name!r} with none"
        )
    return kernels


def _place(kernel, model):
    """The layer's path; without the model's name, which Keras counts up where it is not given."""
    return kernel.path.removeprefix(f"{model.name}/").removesuffix("/kernel")


class _MeanLoss(keras.losses.Loss):
    """Gives a plain loss function the shape checks and the mean that ``fit`` gives it."""

    def __init__(self, function):
        super().__init__(name="mean_loss")
        self.function = function

    def call(self, y_true, y_pred):
        return self.function(y_true, y_pred)


def _loss(model, loss):
    if loss is None:
        loss = getattr(model, "loss", None) or "sparse_categorical_crossentropy"
    if isinstance(loss, (dict, list, tuple)):
        raise ValueError(f"the model must have one output and one loss, received {loss!r}")
    loss = keras.losses.get(loss)
    return loss if isinstance(loss, keras.losses.Loss) else _MeanLoss(loss)
