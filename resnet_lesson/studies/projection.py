"""Two networks of one table of shapes: the projection reads the activated tensor, or the raw one.

He et al. 2016 project the activated tensor. Does a network that projects the raw one learn digits
worse? The question is asked at several rates and at two depths, as a null needs.
"""

from typing import Any

from .engine import Study, product
from .record import Row

EPOCHS = 10
FILTERS = (16, 32, 64)  # of the stem and of two stages


def measure(reads: str, modules: int, learning_rate: float, seed: int) -> list[Row]:
    """One row: ``train_accuracy`` and ``test_accuracy`` after EPOCHS.

    ``reads``, "activated" or "raw", is what the projections read, ``modules`` their number a stage.
    """
    from .trainer import start

    trainer = start(seed, reads, modules, build=build)
    trainer.train(EPOCHS, learning_rate, seed)
    return [trainer.accuracies()]


def build(reads: str, modules: int) -> Any:
    """The article's network of two stages for digits, of bottlenecks; new weights."""
    from ..networks.article import ResNet

    model = ResNet.build(8, 8, 1, 10, (modules, modules), FILTERS, reg=0.0)
    return raw_projections(model) if reads == "raw" else model


def raw_projections(model: Any) -> Any:
    """A network like ``model`` with new weights, whose projections read the raw tensor.

    ``model`` is a network of full pre-activation of this package: in each module the layer
    ``bn1`` reads the raw tensor.
    """
    from ..runtime import keras

    raw: dict[str, Any] = {}

    def rewired(layer: Any, x: Any, **options: Any) -> Any:
        module, _, part = layer.name.rpartition("_")
        if part == "bn1":
            raw[module] = x
        return layer(raw[module] if part == "projection" else x, **options)

    return keras.models.clone_model(model, call_function=rewired)


STUDY = Study(
    name="projection",
    question="Does a network whose projections read the raw tensor learn worse?",
    grid=product(
        reads=("activated", "raw"), modules=(2, 8), learning_rate=(0.01, 0.03, 0.1, 0.3, 1.0)
    ),
    measure=measure,
)
