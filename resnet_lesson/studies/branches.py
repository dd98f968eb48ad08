"""Residual networks without normalisation, whose branches start small in one way or another."""

import numpy as np

from ..resnet import build_cifar
from ..runtime import keras
from .near_identity import VARIANTS
from .networks import NETWORK


class ScaledSum(keras.layers.Layer):
    """``shortcut + scale * branch``, the scale a single number that starts at ``start``."""

    def __init__(self, start, **kwargs):
        super().__init__(**kwargs)
        self.start = start

    def build(self, shapes):
        initializer = keras.initializers.Constant(self.start)
        self.scale = self.add_weight(shape=(), initializer=initializer, name="scale")

    def call(self, inputs):
        branch, shortcut = inputs
        return shortcut + self.scale * branch

    def get_config(self):
        return super().get_config() | {"start": self.start}


def build_without_norms(depth, variant):
    """The network of ``networks`` without its norms; a module is, by its variant,

    - ``sum``: h + F(h);
    - ``root_of_depth``: h + F(h) / sqrt(modules);
    - ``scalar_zero``: h + s F(h), with s trained from 0 (SkipInit, De and Smith 2020, arXiv
      2002.10444; ReZero, Bachlechner et al. 2020, arXiv 2003.04887);
    - ``last_zero``: h + F(h), the second convolution of F trained from 0 (Fixup, Zhang et al.
      2019, arXiv 1901.09321, without its biases, multipliers and scaled first convolutions).

    Raises:
        ValueError: an unknown variant, or a depth that ``build_cifar`` refuses.
    """
    if variant not in VARIANTS:
        raise ValueError(f"variant must be one of {', '.join(VARIANTS)}, received {variant!r}")
    modules = (depth - 2) // 2

    def changed(layer):
        if isinstance(layer, keras.layers.Add) and variant == "root_of_depth":
            return ScaledSum(1 / np.sqrt(modules), trainable=False, name=layer.name)
        if isinstance(layer, keras.layers.Add) and variant == "scalar_zero":
            return ScaledSum(0.0, name=layer.name)
        config = layer.get_config()
        if layer.name.endswith("conv2") and variant == "last_zero":
            config["kernel_initializer"] = "zeros"
        return type(layer).from_config(config)

    def without_norm(layer, x, **_):
        return x if isinstance(layer, keras.layers.BatchNormalization) else layer(x)

    return keras.models.clone_model(
        build_cifar(depth, **NETWORK), clone_function=changed, call_function=without_norm
    )
