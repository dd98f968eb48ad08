"""A model's kernels: which of its weights they are, where they stand, in which order it uses them.

Kernels are the weights that multiply what passes through: those named ``kernel`` or
``..._kernel``, and all others of two axes or more, such as the table of an ``Embedding``. Biases
and the scales and offsets of norms are none, however many axes they have.
"""

import contextlib
import functools
import threading
from typing import NamedTuple

from .runtime import keras, tf

# What Keras calls weights that shift or scale.
OTHERS = ("bias", "gamma", "beta", "alpha")


def kernels_of(model):
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


def places_of(model):
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
                    self._undo.enter_context(replaced(layer, "call", self._call(layer)))
                loss = self._compute_loss(self.model.compute_loss)
                self._undo.enter_context(replaced(self.model, "compute_loss", loss))
        return self

    def __exit__(self, *raised):
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._undo.close()

    def _call(self, layer):
        call = layer.call

        @functools.wraps(call)
        def kept(*args, **kwargs):
            made = Call(layer, [])
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


@contextlib.contextmanager
def replaced(thing, name, value):
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


def first_uses(kernels, calls):
    """For each kernel the calls of the innermost layer that holds it, and where the first stands.

    Args:
        kernels: a list of variables.
        calls: a list of ``Call``, outer layers before the inner ones that they call.

    Returns:
        A list of pairs: the position of the first call in ``calls``, and the calls. Where no layer
        that holds the kernel was called, the position is beyond all others and there are no calls.
    """
    holders = {}  # of each kernel: how many weights the layer has, first position, calls
    by_layer = {}
    for position, call in enumerate(calls):
        by_layer.setdefault(id(call.layer), (position, []))[1].append(call)
    for position, made in by_layer.values():
        weights = made[0].layer.weights
        for weight in weights:
            # An outer layer has more weights than one inside, or the same and is called earlier.
            if id(weight) not in holders or len(weights) <= holders[id(weight)][0]:
                holders[id(weight)] = len(weights), position, made
    nowhere = (0, len(calls), [])
    return [holders.get(id(kernel), nowhere)[1:] for kernel in kernels]


def in_order_of_use(kernels, calls):
    """The kernels, the first used first; what is used in one place stays in the order it had."""
    positions = [position for position, _ in first_uses(kernels, calls)]
    return [kernels[index] for index in sorted(range(len(kernels)), key=positions.__getitem__)]
