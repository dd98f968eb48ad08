"""A built network taken apart: its stem, its modules, its head; and what it does without some.

After the lesion study of Veit et al. 2016, arXiv 1605.06431.
"""

import collections
import functools
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ..backend import keras, native

BATCH = 500


class Module(NamedTuple):
    """One module: functions of its input (B, H, W, C), by the layers of the network itself.

    ``whole`` computes the module, ``branch`` what is added to the shortcut, and ``shortcut`` what
    is left of the module where its branch is deleted. In a plain network the branch is the whole
    module, and nothing is done where it is deleted.
    """

    name: str
    whole: keras.Model
    branch: keras.Model
    shortcut: Callable[[Any], Any]


class Dissection(NamedTuple):
    """``stem``, ``modules`` from the input side, ``head``: one after the other, the network."""

    stem: keras.Model
    modules: list[Module]
    head: keras.Model


def dissect(model: keras.Model) -> Dissection:
    """Cut a network of ``build_cifar``, basic modules in full pre-activation, between its modules.

    All parts share their layers with ``model``.
    """
    names = module_names(model)
    starts = [model.get_layer(f"{name}_bn1").input for name in [*names, "final"]]
    modules = [
        _module(model, name, start, end)
        for name, start, end in zip(names, starts[:-1], starts[1:], strict=True)
    ]
    return Dissection(
        keras.Model(model.input, starts[0]), modules, keras.Model(starts[-1], model.output)
    )


def module_names(model: keras.Model) -> list[str]:
    """Those of the basic modules of a network of ``build_cifar``, input side first."""
    return [
        layer.name.removesuffix("_conv2") for layer in model.layers if layer.name.endswith("_conv2")
    ]


def _module(model: keras.Model, name: str, start: Any, end: Any) -> Module:
    shortcut: Callable[[Any], Any] = _unchanged
    if f"{name}_projection" in {layer.name for layer in model.layers}:
        shortcut = keras.Model(start, model.get_layer(f"{name}_projection").output)
    branch = keras.Model(start, model.get_layer(f"{name}_conv2").output)
    return Module(name, keras.Model(start, end), branch, shortcut)


def _unchanged(h: Any) -> Any:
    return h


def branch_shares(model: keras.Model, x: np.ndarray) -> list[float]:
    """For each module, the variance of the branch over that of the sum, on a batch in training.

    Args:
        model: a residual network of ``build_cifar`` with basic modules.
        x: (B, H, W, C) images.
    """
    pairs = [
        [model.get_layer(f"{name}_{end}").output for end in ("conv2", "add")]
        for name in module_names(model)
    ]
    values = keras.Model(model.input, pairs)(x, training=True)
    variances = [[np.var(keras.ops.convert_to_numpy(part)) for part in pair] for pair in values]
    return [float(branch / total) for branch, total in variances]


def confusions(
    model: keras.Model, images: np.ndarray, labels: np.ndarray, classes: int
) -> dict[str, np.ndarray]:
    """For every set of deleted modules, how often each class is taken for each.

    The sets that delete the same first modules share their way that far: 2^n networks cost not
    much more than 2^(n + 1) modules.

    Args:
        model: as ``dissect`` takes it, with n modules.
        images, labels: (N, H, W, C) and (N,).
        classes: how many.

    Returns:
        A dict from a string such as "010", with a 1 for each deleted module, to an int array
        (classes, classes): the label, and the answer.
    """
    parts = dissect(model)
    compiled = functools.partial(native.compiled, model)
    stem, head = compiled(parts.stem), compiled(parts.head)
    modules = [(compiled(each.whole), compiled(each.shortcut)) for each in parts.modules]
    counts: dict[str, np.ndarray] = collections.defaultdict(
        lambda: np.zeros((classes, classes), int)
    )

    def walk(h: Any, deleted: str) -> Iterator[tuple[str, np.ndarray]]:
        if len(deleted) == len(modules):
            yield deleted, keras.ops.convert_to_numpy(head(h)).argmax(axis=1)
            return
        for bit, function in zip("01", modules[len(deleted)], strict=True):
            yield from walk(function(h), deleted + bit)

    for start in range(0, len(images), BATCH):
        batch = slice(start, start + BATCH)
        for deleted, answers in walk(stem(images[batch]), ""):
            np.add.at(counts[deleted], (labels[batch], answers), 1)
    return counts
