"""A model's kernels: which of its weights they are, where they stand, in which order it uses them.

Kernels are the weights that multiply what passes through: those named ``kernel`` or
``..._kernel``, and all others of two axes or more, such as the table of an ``Embedding``. Biases
and the scales and offsets of norms are none, however many axes they have.
"""

import contextlib
import functools
import threading
from typing import NamedTuple

from ..runtime import keras, tf

# What Keras calls weights that shift or scale.
OTHERS = ("bias", "gamma", "beta", "alpha")


def trainable_kernels(model):
    """The trainable kernels, in the order in which the model stores them.

    Raises:
        ValueError: the model has none.
    """
    kernels = [weight for weight in model.trainable_weights if _is_kernel(weight)]
    if not kernels:
        raise ValueError(
            "the model must have a trainable kernel, a weight of two axes or more or one named "
            f"kernel, received {model.name!r} with none"
        )
    return kernels


def _is_kernel(weight):
    name = weight.name
    if name == "kernel" or name.endswith("_kernel"):
        return True
    return len(weight.shape) > 1 and name not in OTHERS and not name.endswith("_bias")


def kernel_paths(model):
    """A dict from the identity of each kernel, frozen ones too, to its place in the model.

    A place is the layer's path, with the weight's name where that is not ``kernel`` or, in an
    ``Embedding``, ``embeddings``. The model's own name, which Keras counts up where it is not
    given, is left out. A place that occurs again, in a nested model, gets a number.
    """
    places, taken = {}, {}
    for weight in model.weights:
        if not _is_kernel(weight):
            continue
        path = weight.path.removeprefix(f"{model.name}/")
        place = path.removesuffix("/kernel").removesuffix("/embeddings")
        taken[place] = taken.get(place, 0) + 1
        places[id(weight)] = place if taken[place] == 1 else f"{place}#{taken[place]}"
    return places


class Call(NamedTuple):
    """That a layer was called, and the tensors it returned."""

    layer: keras.Layer
    outputs: list


class Calls:
    """A context that keeps what a model does: the calls of its layers, and its losses.

    ``made`` lists the calls of this thread, in the order in which they began, and ``losses`` what
    ``compute_loss`` returned, since the last ``clear``. Several threads may be in the context at
    once: a strategy traces each replica in one of its own.
    """

    def __init__(self, model):
        self.model = model
        self._local, self._lock = threading.local(), threading.Lock()
        self._inside, self._undo = 0, contextlib.ExitStack()

    @property
    def made(self):
        return vars(self._local).setdefault("made", [])

    @property
    def losses(self):
        return vars(self._local).setdefault("losses", [])

    def clear(self):
        self.made.clear()
        self.losses.clear()

    def __enter__(self):
        with self._lock:
            self._inside += 1
            if self._inside == 1:
                for layer in self.model._flatten_layers():
                    self._undo.enter_context(patched(layer, "call", self._call(layer)))
                loss = self._compute_loss(self.model.compute_loss)
                self._undo.enter_context(patched(self.model, "compute_loss", loss))
        return self

    def __exit__(self, *raised):
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._undo.close()

    def _call(self, layer):
        call = untraced(layer.call)

        @functools.wraps(call)
        def kept(*args, **kwargs):
            made = Call(layer, [])
            if self._inside:
                self.made.append(made)
            outputs = call(*args, **kwargs)
            made.outputs.extend(tf.nest.flatten(outputs))
            return outputs

        return kept

    def _compute_loss(self, compute_loss):
        @functools.wraps(compute_loss)
        def kept(*args, **kwargs):
            loss = compute_loss(*args, **kwargs)
            self.losses.append(loss)
            return loss

        return kept


def untraced(function):
    """The function, or a new one where TensorFlow keeps old traces, in which no call is heard."""
    if not isinstance(function, tf.types.experimental.PolymorphicFunction):
        return function
    python = function.python_function
    return python if tf.executing_eagerly() else tf.function(python)


@contextlib.contextmanager
def patched(thing, name, value):
    """A context in which ``thing.name`` is ``value``, as an attribute of the instance."""
    attributes = vars(thing)
    had, before = name in attributes, attributes.get(name)
    attributes[name] = value
    try:
        yield
    finally:
        if had:
            attributes[name] = before
        else:
            del attributes[name]


def uses(kernels, calls, model):
    """For each kernel the places in ``calls`` where it is used, a list of numbers, first one first.

    Those are the calls of the layer whose own weight it is; or, where that is not among them, of
    the smallest layer around it, such as that around the cell of a loop. The model as a whole is
    none.

    Args:
        kernels: a list of variables.
        calls: a list of ``Call``.
        model: the model that they are of.
    """
    called = {}
    for number, call in enumerate(calls):
        called.setdefault(id(call.layer), []).append(number)
    holders = {}  # of each weight: whether it is of a layer inside, the layer's size, its calls
    for layer in model._flatten_layers():
        own = _own_weights(layer)
        held = own if layer is model else layer.weights
        for weight in held if id(layer) in called else ():
            inside = not any(weight is other for other in own)
            found = (inside, len(held), called[id(layer)])
            holders[id(weight)] = min(holders.get(id(weight), found), found)
    return [holders.get(id(kernel), (True, 0, []))[2] for kernel in kernels]


def _own_weights(layer):
    """Without those of the layers in it."""
    return layer._trainable_variables + layer._non_trainable_variables


def in_order_of_use(kernels, calls, model):
    """The kernels, the first used first; then those that are not used, in the order they had."""
    first = [min(found, default=len(calls)) for found in uses(kernels, calls, model)]
    return [kernels[index] for index in sorted(range(len(kernels)), key=first.__getitem__)]
