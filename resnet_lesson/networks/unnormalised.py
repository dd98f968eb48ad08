"""A residual network without batch normalisation, whose branches may start small."""

from typing import Any

from ..backend import keras


class ScaledSum(keras.layers.Layer):
    """``branch + shortcut`` with the branch times a single number, which starts at ``start``."""

    def __init__(self, start: float, **options: Any) -> None:
        super().__init__(**options)
        self.start = start

    def build(self, shapes: Any) -> None:
        initializer = keras.initializers.Constant(self.start)
        self.scale = self.add_weight(shape=(), initializer=initializer, name="scale")

    def call(self, inputs: list) -> Any:
        branch, shortcut = inputs
        return shortcut + self.scale * branch

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"start": self.start}


def without_bn(
    model: keras.Model,
    *,
    scale: float | None = None,
    trained_scale: bool = False,
    last_zero: bool = False,
) -> keras.Model:
    """A new model like ``model``, without its BN layers and with new weights.

    Args:
        model: a network of ``build_cifar`` with basic modules.
        scale: multiplies each branch in its sum; None leaves the sum as it is.
        trained_scale: train one such number in each module from ``scale`` on.
        last_zero: start the second convolution of each branch from zero.
    """

    def changed(layer: keras.Layer) -> keras.Layer:
        if isinstance(layer, keras.layers.Add) and scale is not None:
            return ScaledSum(scale, trainable=trained_scale, name=layer.name)
        config = layer.get_config()
        if layer.name.endswith("conv2") and last_zero:
            config["kernel_initializer"] = "zeros"
        return type(layer).from_config(config)

    def skip_bn(layer: keras.Layer, x: Any, **_: Any) -> Any:
        return x if isinstance(layer, keras.layers.BatchNormalization) else layer(x)

    return keras.models.clone_model(model, clone_function=changed, call_function=skip_bn)
