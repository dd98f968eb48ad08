"""The engine's answer to a case; it also saves what the other frameworks start from."""

import numpy as np

from resnet_lesson.gradients import stacks


def prepare(options, material):
    """The function from a depth to (3, depth) norms: of dL/dW, of dL/dh, and the rms of h.

    Args:
        options: of ``stack_gradients``.
        material: path of the .npz to which inputs, labels, weights and read-out are written.
    """
    deepest = stacks.stack_gradients(stacks.MAX_DEPTH, **options)
    weights = deepest.weights if isinstance(deepest.weights, tuple) else (deepest.weights,)
    np.savez(
        material,
        inputs=deepest.inputs,
        labels=deepest.labels,
        readout=deepest.readout,
        **{f"weights{position}": each for position, each in enumerate(weights)},
    )

    def differentiate(depth):
        result = stacks.stack_gradients(depth, **options)
        return np.stack([result.weight_gradient, result.signal_gradient, result.signal])

    return differentiate


def versions():
    from resnet_lesson.runtime import versions

    return {name: versions()[name] for name in ("device", "python", "tensorflow", "keras")}
