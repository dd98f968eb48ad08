"""How strongly one batch pulls at each kernel of a Keras model."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from ..backend import keras, native
from ..checks import check_choice
from .kernels import (
    WHICH,
    Call,
    CallLog,
    check_model,
    in_order_of_use,
    kernel_paths,
    trainable_kernels,
)
from .norms import tensor_norm

ops = keras.ops
# Gradients in float16 are multiplied by this, as Keras does in training: smaller ones become zero.
LOSS_SCALE, SMALLEST_SCALE = 2.0**15, 2.0**-24
OF_A_FIT = ("train_function", "test_function", "predict_function", "history", "stop_training")
_probing = threading.RLock()  # a pass changes penalties and averages of the model for its duration


class KernelNorms(NamedTuple):
    """The norms of one kernel, or of a weight or group, and its path in the model."""

    layer: str
    gradient_norm: float
    weight_norm: float


def gradient_norms(
    model: keras.Model,
    x: Any,
    y: Any = None,
    loss: Any = None,
    sample_weight: Any = None,
    *,
    which: str = "kernels",
) -> list[KernelNorms]:
    """Gradient and weight norm of every kernel, in order of use; the model stays as it was.

    The loss is the one that ``fit`` would use on this batch, with its loss weights, masks, sample
    weights and what layers add to it. Only the penalties on weights are left out: their gradient
    would put a floor under every vanishing curve. The forward pass runs in training mode. Where a
    layer computes in float16 the loss is scaled, as ``fit`` does, and the gradient divided again.

    Args:
        model: a built Keras model.
        x: (B, ...) a batch as ``fit`` takes it: an array, a list or a dict of arrays; or a
            ``tf.data.Dataset``, ``PyDataset`` or ``DataLoader``, whose first batch is measured.
        y: (B, ...) targets as ``fit`` takes them; None where ``x`` brings its own.
        loss: what ``compile`` takes: a loss, its name or a function, or a list or dict of them.
            None takes what the model was compiled with, or its own ``compute_loss``; what else a
            custom ``train_step`` does is not known. A model that is not compiled and ends in a
            softmax or sigmoid is measured by cross-entropy.
        sample_weight: (B,) weights as ``fit`` takes them.
        which: "kernels", or "all" for every trainable weight: biases, the scales of normalisation
            layers, adapters.

    A model's first batch is differentiated eagerly, and its second one traces a compiled function
    that later ones reuse, until the loss or something public of a layer is another.

    Returns:
        A list of ``KernelNorms`` (Euclidean norms), that of the kernel used first at the front.
        Kernels are the trainable weights of two axes or more, without biases and the scales of
        normalisation layers. ``layer`` is the layer's path in the model; the name of the weight is
        added where it is not simply ``kernel``, or ``embeddings`` of an embedding.

    Raises:
        TypeError: what is given is not a model of Keras 3.
        ValueError: a model that is not built or has no kernels; a batch that is empty or whose
            arrays differ in length; no loss, where the model does not determine one.
    """
    check_model(model)
    if not model.built:
        raise ValueError(
            f"the model must be built before it can be probed, received {model.name!r} unbuilt: "
            "call it on a batch once"
        )
    check_choice("which", which, WHICH)
    paths, probe = kernel_paths(model, which), _probe_of(model, loss, which)
    batch = _batch(x, y, sample_weight)
    scale = _loss_scale(model)
    norms = probe.norms(batch, scale)
    while scale > SMALLEST_SCALE and not np.isfinite(norms[0]).all():
        scale /= 4  # float16 overflows, as it may in the first steps of a training
        norms = probe.norms(batch, scale)
    by_kernel = {
        id(kernel): KernelNorms(paths[id(kernel)], float(gradient), float(weight))
        for kernel, gradient, weight in zip(probe.kernels, *norms, strict=True)
    }
    return [by_kernel[id(kernel)] for kernel in probe.order]


class _Probe:
    """Differentiates one model by one loss: the first batch eagerly, all others compiled.

    To trace a deep model takes five to ten times as long as to differentiate it eagerly, which is
    too much for a model that is probed once.
    """

    def __init__(self, model: keras.Model, loss: Any, which: str, made_of: list[Any]) -> None:
        self.model, self.loss, self.made_of = model, loss, made_of
        self.kernels = self.order = trainable_kernels(model, which)
        self._compiled = native.compiled(model, self._differentiate)
        self._weigher: keras.Model | None = None
        self._is_first = True

    def norms(self, batch: list[Any], scale: float) -> np.ndarray:
        """(2, kernels) norms of gradients and weights, 0 where the loss reaches no kernel.

        Differentiated is the loss times ``scale``, by which the norms are divided again.
        """
        at_once = self._is_first and native.IS_EAGER
        is_eager = at_once or getattr(self.model, "run_eagerly", False)
        differentiate = self._differentiate if is_eager else self._compiled
        with _probing:
            found = differentiate(batch, ops.convert_to_tensor(scale, native.WIDE))
            self._is_first = False
            return ops.convert_to_numpy(found)

    def _differentiate(self, batch: list[Any], scale: Any) -> Any:
        x, y, sample_weight = batch
        model, log = self.model, CallLog(self.model)

        def scaled_loss() -> Any:
            prediction = model(x, training=True)
            loss = self._loss(log.calls, x, y, prediction, sample_weight)
            return loss * ops.cast(scale, loss.dtype)

        with _restored(model), log:
            gradients = native.gradients(model, scaled_loss, self.kernels)
            self.order = in_order_of_use(self.kernels, log.calls, model)
            if all(gradient is None for gradient in gradients):
                raise ValueError(
                    f"the loss must depend on a kernel, received {model.name!r}, whose loss "
                    "reaches none"
                )
            zero = ops.zeros((), native.WIDE)
            norms = [zero if grad is None else tensor_norm(grad) for grad in gradients]
            weights = [tensor_norm(kernel.value) for kernel in self.kernels]
            return ops.stack([ops.stack(norms) / scale, ops.stack(weights)])

    def _loss(self, calls: list[Call], x: Any, y: Any, prediction: Any, sample_weight: Any) -> Any:
        """The loss as ``fit`` computes it, a scalar."""
        model, loss = self.model, self.loss
        if loss is None and not model.compiled:
            loss = _cross_entropy(calls, y, prediction)
        has_own_loss = loss is None and type(model).compute_loss is not keras.Model.compute_loss
        named = loss or model.loss
        if named and y is None and not has_own_loss:
            raise ValueError(f"y must be given for the loss {named!r}, received None")
        if loss is None:
            return model._compute_loss(x, y, prediction, sample_weight, training=True)
        if self._weigher is None or self._weigher.loss != loss:
            self._weigher = _weigher(model, loss)
        value = self._weigher.compute_loss(y=y, y_pred=prediction, sample_weight=sample_weight)
        return value + sum(ops.sum(ops.cast(added, value.dtype)) for added in model.losses)


def _weigher(model: keras.Model, loss: Any) -> keras.Model:
    """A model without layers, which wraps and weighs losses as the model would with this one."""
    empty = keras.Model(name="empty")
    empty.output_names = getattr(model, "output_names", None)
    empty.compile(None, loss)
    return empty


def _probe_of(model: keras.Model, loss: Any, which: str) -> _Probe:
    """The model's probe, kept with the model as long as nothing of it changes."""
    made_of, probe = [which, *_made_of(model, loss)], vars(model).get("_lesson_probe")
    if probe is None or not _are_same(probe.made_of, made_of):
        # Not by setattr: Keras tracks, and saves, what is set.
        probe = vars(model)["_lesson_probe"] = _Probe(model, loss, which, made_of)
    return probe


def _made_of(model: keras.Model, loss: Any) -> list[Any]:
    """What a trace depends on: the loss, each layer and its settings, and the weights."""
    parts = [loss, getattr(model, "_compile_loss", None)]
    for layer in model._flatten_layers():
        settings = {name: value for name, value in vars(layer).items() if name not in OF_A_FIT}
        parts += [layer, *(item for item in settings.items() if not item[0].startswith("_"))]
    return parts + [(weight, weight.trainable) for weight in model.weights]


def _are_same(parts: Any, others: Any) -> bool:
    """Whether two lists hold the same objects, or equal numbers and words.

    The objects themselves are kept and compared: the ``id`` of one that is gone may come again.
    """
    if isinstance(parts, list | tuple) and type(parts) is type(others):
        return len(parts) == len(others) and all(map(_are_same, parts, others))
    is_plain = isinstance(parts, int | float | str) and isinstance(others, int | float | str)
    return parts is others or (is_plain and parts == others)


@contextlib.contextmanager
def _restored(model: keras.Model) -> Iterator[None]:
    """Remove the penalties on weights for now, and restore what a pass in training mode changes.

    It changes BN's averages, dropout's seeds, metrics. What layers add to the loss themselves is
    not removed.
    """
    metrics = _metrics(model)
    variables = [*model.variables, *(v for metric in metrics.values() for v in metric.variables)]
    before = [ops.copy(variable.value) for variable in variables]
    penalties = [(weight, weight.regularizer) for weight in model.trainable_variables]
    try:
        for weight, _ in penalties:
            weight.regularizer = None
        yield
    finally:
        for weight, penalty in penalties:
            weight.regularizer = penalty
        for variable, value in zip(variables, before, strict=True):
            variable.assign(value)
        for key, metric in _metrics(model).items():
            if key not in metrics:
                metric.reset_state()  # of one of several losses, made when the first is computed


def _metrics(model: keras.Model) -> dict[int, Any]:
    """By their ``id``, those of the model and of the models in it."""
    return {id(metric): metric for layer in model._flatten_layers() for metric in layer.metrics}


def _loss_scale(model: keras.Model) -> float:
    """The factor of the loss: 1 unless a layer computes in float16."""
    if not any(layer.compute_dtype == "float16" for layer in model._flatten_layers()):
        return 1.0
    optimizer = getattr(model, "optimizer", None)
    if isinstance(optimizer, keras.optimizers.LossScaleOptimizer):
        return float(optimizer.scale_loss(1.0))  # the present one of its training
    return LOSS_SCALE


def _cross_entropy(calls: list[Call], y: Any, prediction: Any) -> str:
    """The cross-entropy that goes with the activation whose output the prediction is."""
    last = {
        _activation(call.layer)
        for call in calls
        if any(output is prediction for output in call.outputs)
    }
    if "sigmoid" in last:
        return "binary_crossentropy"
    if "softmax" in last:
        one_hot = y is not None and y.shape == prediction.shape
        return f"{'' if one_hot else 'sparse_'}categorical_crossentropy"
    raise ValueError(
        "a model that is not compiled must end in a softmax or sigmoid, or be given a loss, "
        "received neither: pass loss=, such as "
        "keras.losses.SparseCategoricalCrossentropy(from_logits=True)"
    )


def _activation(layer: keras.Layer) -> str | None:
    layers = keras.layers
    if isinstance(layer, layers.Softmax):
        return "softmax"
    # In other layers, such as an LSTM, the activation may not be what comes last.
    kinds = (layers.Activation, layers.Dense, layers.EinsumDense, layers.Conv1D, layers.Conv2D)
    return layer.activation.__name__ if isinstance(layer, kinds) else None


def _batch(x: Any, y: Any, sample_weight: Any) -> list[Any]:
    """x, targets and sample weights as nests of tensors, or None."""
    if _is_data_set(x):
        if y is not None or sample_weight is not None:
            raise ValueError(
                "a data set brings its own targets and weights, received y or sample_weight as well"
            )
        first = x[0] if isinstance(x, keras.utils.PyDataset) else next(iter(x), (np.empty(0),))
        x, y, sample_weight = keras.utils.unpack_x_y_sample_weight(first)
    batch = [_tensors(nest) for nest in (x, y, sample_weight)]
    leaves = [leaf for leaf in keras.tree.flatten(batch) if leaf is not None]
    lengths = [leaf.shape[0] if len(leaf.shape) else 0 for leaf in leaves]
    if len(set(lengths)) != 1 or not lengths[0]:
        raise ValueError(
            "x, y and sample_weight must be of one length, at least 1, received "
            f"{' and '.join(map(str, lengths))}"
        )
    if isinstance(batch[2], (list, tuple, dict)):
        ones = ops.ones(lengths[0])  # of an output without weights, as in fit
        batch[2] = keras.tree.map_structure(lambda w: ones if w is None else w, batch[2])
    return batch


def _is_data_set(x: Any) -> bool:
    """Whether it hands out batches, again and again: as Keras, ``tf.data`` and PyTorch have it."""
    if isinstance(x, (keras.utils.PyDataset, list, tuple, dict)):
        return isinstance(x, keras.utils.PyDataset)
    is_array, is_used_up = hasattr(x, "__array__") or hasattr(x, "shape"), hasattr(x, "__next__")
    return hasattr(x, "__iter__") and not is_array and not is_used_up


def _tensors(nest: Any) -> Any:
    """The same nest with tensors for arrays, as ``fit`` makes them; None stays."""
    if nest is None:
        return None
    if isinstance(nest, (list, tuple)) and not any(getattr(item, "shape", ()) for item in nest):
        nest = np.asarray(nest)  # numbers
    return keras.tree.map_structure(_tensor, nest)


def _tensor(array: Any) -> Any:
    if array is None or ops.is_tensor(array):
        return array
    array = np.asarray(array)
    if array.dtype == object:
        raise ValueError(
            "a batch must be of arrays, in lists and dicts as fit takes them, received "
            f"{type(array.item()).__name__ if not array.ndim else 'an array of objects'}"
        )
    # ``fit`` computes with numbers of Keras's default precision, whatever the arrays have.
    return ops.convert_to_tensor(array, keras.config.floatx() if array.dtype.kind == "f" else None)
