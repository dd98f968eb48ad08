"""The layers of which the networks are made, named by their place in the network."""

from collections import Counter
from collections.abc import Iterable

from ..backend import keras
from ..checks import check_number

layers = keras.layers


class LayerMaker:
    """Calls new layers on a tensor: those of one module, all alike in axis, strength and names.

    Layers of a kind are counted, ``bn1``, ``bn2``, unless they are given a name of their own.

    Args:
        name: prefix of the layers' names, None where Keras makes up names.
        channel_axis: -1 or 3 for channels last, 1 for channels first.
        reg: L2 strength of every convolution.
        bn_epsilon, bn_momentum: of every batch normalisation.

    Raises:
        ValueError: what no layer can use; names the rule and the value.
    """

    def __init__(
        self,
        name: str | None,
        channel_axis: int,
        reg: float,
        bn_epsilon: float = 2e-5,
        bn_momentum: float = 0.9,
    ) -> None:
        check_number("reg", reg)
        check_number("bn_epsilon", bn_epsilon, above=0)
        check_number("bn_momentum", bn_momentum, below=1)
        if name is not None and (not isinstance(name, str) or not name or "/" in name):
            raise ValueError(f"name must be a non-empty string without '/', received {name!r}")
        self.name, self.axis, self.reg = name, channel_axis, reg
        self.bn_epsilon, self.bn_momentum = bn_epsilon, bn_momentum
        self.data_format = "channels_first" if channel_axis == 1 else "channels_last"
        self._made: Counter[str] = Counter()

    def _name(self, kind: str, name: str | None = None) -> str | None:
        if name is None:
            self._made[kind] += 1
            name = f"{kind}{self._made[kind]}"
        return self.name and f"{self.name}_{name}"

    def bn(self, x: keras.KerasTensor, name: str | None = None) -> keras.KerasTensor:
        """(B, H, W, C) -> the same, batch normalised."""
        return layers.BatchNormalization(
            axis=self.axis,
            momentum=self.bn_momentum,
            epsilon=self.bn_epsilon,
            name=self._name("bn", name),
        )(x)

    def relu(self, x: keras.KerasTensor) -> keras.KerasTensor:
        return layers.ReLU(name=self._name("relu"))(x)

    def through(self, parts: Iterable[str], x: keras.KerasTensor) -> keras.KerasTensor:
        """(B, H, W, C) -> the same, through these parts in turn, each "BN" or "ReLU"."""
        for part in parts:
            x = {"BN": self.bn, "ReLU": self.relu}[part](x)
        return x

    def conv(
        self,
        x: keras.KerasTensor,
        filters: int,
        size: int,
        stride: int = 1,
        name: str | None = None,
    ) -> keras.KerasTensor:
        """(B, H, W, C) -> (B, H/stride, W/stride, filters), without a bias."""
        return layers.Conv2D(
            filters,
            size,
            strides=stride,
            padding="same",
            use_bias=False,  # the offset of BN makes a bias redundant
            data_format=self.data_format,
            kernel_initializer="he_normal",
            kernel_regularizer=keras.regularizers.L2(self.reg),
            name=self._name("conv", name),
        )(x)

    def add(self, branch: keras.KerasTensor, shortcut: keras.KerasTensor) -> keras.KerasTensor:
        return layers.Add(name=self._name("add", "add"))([branch, shortcut])


def classifier(
    x: keras.KerasTensor, classes: int, reg: float, data_format: str
) -> keras.KerasTensor:
    """(B, H, W, C) -> (B, classes): the mean over the image, a dense layer, softmax."""
    x = layers.GlobalAveragePooling2D(data_format=data_format, name="global_pool")(x)
    x = layers.Dense(classes, kernel_regularizer=keras.regularizers.L2(reg), name="classifier")(x)
    # float32 also under mixed precision: half precision rounds small probabilities to zero.
    return layers.Activation("softmax", dtype="float32", name="softmax")(x)
