"""The weights that are measured: which these are, their paths, in which order a model uses them.

Kernels are the weights that multiply what passes through: those named ``kernel`` or
``..._kernel``, and all others of two axes or more, such as the table of an ``Embedding``. Biases
and the scales and offsets of normalisation layers are not kernels, however many axes they have.
Kernels are measured, or all weights where that is asked for; each is called a kernel below.
"""

import contextlib
import functools
import threading
from collections.abc import Callable
from typing import Any, NamedTuple

from ..backend import keras, native
from ..backend.patch import patched

# Keras's names of weights that shift or scale.
NOT_KERNELS = ("bias", "gamma", "beta", "alpha")


WHICH = ("kernels", "all")


def check_model(model: Any) -> None:
    """
    Raises:
        TypeError: it is not a model of Keras 3, such as those of TensorFlow's older Keras.
    """
    if isinstance(model, keras.Model):
        return
    is_older = any(kind.__module__.partition(".")[0] == "tf_keras" for kind in type(model).__mro__)
    remedy = ": unset TF_USE_LEGACY_KERAS and restart, or build it with keras, not tf.keras"
    raise TypeError(
        f"the model must be one of Keras 3, received {type(model).__name__!r}"
        f"{' of Keras 2' + remedy if is_older else ''}"
    )


def trainable_kernels(model: keras.Model, which: str = "kernels") -> list[Any]:
    """The trainable kernels, in the order in which the model stores them.

    Args:
        model: a built model.
        which: "kernels", or "all" for every trainable weight.

    Raises:
        ValueError: the model has none.
    """
    if which == "all" and model.trainable_weights:
        return list(model.trainable_weights)
    kernels = [weight for weight in model.trainable_weights if _is_kernel(weight)]
    if not kernels:
        raise ValueError(
            "the model must have a trainable kernel, a weight of two axes or more or one named "
            f"kernel, received {model.name!r} with none"
        )
    return kernels


def _is_kernel(weight: Any) -> bool:
    name = weight.name
    if name == "kernel" or name.endswith("_kernel"):
        return True
    return len(weight.shape) > 1 and name not in NOT_KERNELS and not name.endswith("_bias")


def kernel_paths(model: keras.Model, which: str = "kernels") -> dict[int, str]:
    """A dict from the ``id`` of each kernel, or weight, frozen ones too, to its path in the model.

    That is the layer's path, with the weight's name where that is not ``kernel`` or, in an
    ``Embedding``, ``embeddings``. The model's own name, which Keras counts up where it is not
    given, is left out. A path that occurs again, in a nested model, gets a number.
    """
    paths: dict[int, str] = {}
    uses: dict[str, int] = {}
    for weight in model.weights if which == "all" else filter(_is_kernel, model.weights):
        path = weight.path.removeprefix(f"{model.name}/")
        path = path.removesuffix("/kernel").removesuffix("/embeddings")
        uses[path] = uses.get(path, 0) + 1
        paths[id(weight)] = path if uses[path] == 1 else f"{path}#{uses[path]}"
    return paths


def trainable_kernel_paths(model: keras.Model) -> tuple[str, ...]:
    """The paths of a built model's trainable kernels, in the order in which it stores them."""
    paths = kernel_paths(model)
    return tuple(paths[id(kernel)] for kernel in trainable_kernels(model))


class Call(NamedTuple):
    """One call of a layer, in which trace it was, and the tensors that it returned."""

    layer: keras.Layer
    trace: Any
    outputs: list[Any]


class CallLog:
    """A context that logs what a model does: the calls of its layers, and its losses.

    ``calls`` lists the calls of this thread, in the order in which they started, and ``losses``
    what ``compute_loss`` returned, each behind its trace, since the last ``clear``. Several threads
    may be in the context at once: a strategy traces each replica in one of its own.
    """

    def __init__(self, model: keras.Model) -> None:
        self.model = model
        self._local, self._lock = threading.local(), threading.Lock()
        self._threads, self._patches = 0, contextlib.ExitStack()

    @property
    def calls(self) -> list[Call]:
        return vars(self._local).setdefault("calls", [])

    @property
    def losses(self) -> list[Any]:
        return vars(self._local).setdefault("losses", [])

    def clear(self) -> None:
        self.calls.clear()
        self.losses.clear()

    def __enter__(self) -> "CallLog":
        with self._lock:
            self._threads += 1
            if self._threads == 1:
                for layer in self.model._flatten_layers():
                    self._patches.enter_context(patched(layer, "call", self._logged_call(layer)))
                loss = self._logged_loss(self.model.compute_loss)
                self._patches.enter_context(patched(self.model, "compute_loss", loss))
        return self

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._threads -= 1
            if not self._threads:
                self._patches.close()

    def _logged_call(self, layer: keras.Layer) -> Callable[..., Any]:
        call = native.untraced(layer.call)

        @functools.wraps(call)
        def logged(*args: Any, **kwargs: Any) -> Any:
            entry = Call(layer, native.trace(), [])
            if self._threads:
                self.calls.append(entry)
            outputs = call(*args, **kwargs)
            entry.outputs.extend(keras.tree.flatten(outputs))
            return outputs

        return logged

    def _logged_loss(self, compute_loss: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(compute_loss)
        def logged(*args: Any, **kwargs: Any) -> Any:
            loss = compute_loss(*args, **kwargs)
            self.losses.append((native.trace(), loss))
            return loss

        return logged


def calls_by_kernel(kernels: list[Any], calls: list[Call], model: keras.Model) -> list[list[int]]:
    """For each kernel, the indices of the calls that use it, in order.

    Those are the calls of the layer whose own weight it is; or, where that is not among them, of
    the smallest layer around it, such as that around the cell of a loop. The model itself is
    not such a layer, except for its own weights.

    Args:
        kernels: a list of variables.
        calls: what a ``CallLog`` of the model has logged.
        model: the model that has the kernels.
    """
    by_layer: dict[int, list[int]] = {}
    for index, call in enumerate(calls):
        by_layer.setdefault(id(call.layer), []).append(index)
    # Of each weight the best layer: one that owns it before one around it, then a small one.
    best: dict[int, tuple[bool, int, list[int]]] = {}
    for layer in model._flatten_layers():
        if id(layer) not in by_layer:
            continue
        own = layer._trainable_variables + layer._non_trainable_variables  # without layers in it
        held = own if layer is model else layer.weights
        for weight in held:
            is_around = not any(weight is other for other in own)
            candidate = (is_around, len(held), by_layer[id(layer)])
            best[id(weight)] = min(best.get(id(weight), candidate), candidate)
    return [best[id(kernel)][2] if id(kernel) in best else [] for kernel in kernels]


def in_order_of_use(kernels: list[Any], calls: list[Call], model: keras.Model) -> list[Any]:
    """The kernels, the first used first; then those that are not used, in the order they had."""
    used = calls_by_kernel(kernels, calls, model)
    first = [min(indices, default=len(calls)) for indices in used]
    return [kernels[index] for index in sorted(range(len(kernels)), key=first.__getitem__)]
