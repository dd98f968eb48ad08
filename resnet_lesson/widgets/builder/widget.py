"""The architecture builder: change stages and filters, see what the network becomes."""

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

import traitlets

from ...networks import cost, orders
from ..frontend import Hidden, LessonWidget, read_bundle

EXAMPLE: dict[str, Any] = {  # the arguments of ``build``
    "width": 64,
    "height": 64,
    "depth": 3,
    "classes": 200,
    "stages": [3, 4, 6],
    "filters": [64, 128, 256, 512],
    "order": "full_preactivation",
}
MOST = 1_000_000  # of any number: sums stay exact in a browser
STAGES = 20  # as often as an image of ``MOST`` pixels can be halved
PARTS = (
    *("image", "stem", "pooled"),
    *(f"stage{stage}" for stage in range(1, STAGES + 1)),
    "classifier",
)


def _number(what: str, value: Any) -> float | None:
    """What a number field may hold; ``build`` says what is wrong with it."""
    if value is None:
        return None
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if is_number and abs(value) <= MOST:  # which NaN is not
        return int(value) if value == int(value) else float(value)
    raise traitlets.TraitError(
        f"{what} must be a number from {-MOST} to {MOST}, or None, received {value!r}"
    )


class _Number(traitlets.TraitType[Any, Any]):
    def validate(self, obj: Any, value: Any) -> Any:
        return _number(str(self.name), value)


class _Numbers(traitlets.TraitType[Any, Any]):
    """A list with a number for each stage, and ``more``."""

    def __init__(self, default: list[int], more: int) -> None:
        super().__init__(default)
        self.most = STAGES + more

    def validate(self, obj: Any, value: Any) -> Any:
        if isinstance(value, (list, tuple)) and len(value) <= self.most:
            return [_number(f"{self.name}[{at}]", one) for at, one in enumerate(value)]
        raise traitlets.TraitError(
            f"{self.name} must be a list of at most {self.most} numbers, received {value!r}"
        )


class ArchitectureBuilder(LessonWidget):
    """The article's network to scale, with its sizes, and the call that builds it.

    The traits are the arguments of ``build``. They may hold what is impossible: the widget then
    says why, and ``build`` raises its error. ``picked`` is the part whose numbers are shown, such
    as "stage2"; ``hide`` names arguments whose controls are not, such as ("order", "classes").

    Raises:
        traitlets.TraitError: names the rule and the value; nothing changes.
        TypeError: a name that is no trait's.
    """

    _esm, _css = read_bundle("builder")
    _from_page = (*EXAMPLE, "picked")

    width = _Number(EXAMPLE["width"]).tag(sync=True)
    height = _Number(EXAMPLE["height"]).tag(sync=True)
    depth = _Number(EXAMPLE["depth"]).tag(sync=True)
    classes = _Number(EXAMPLE["classes"]).tag(sync=True)
    stages = _Numbers(EXAMPLE["stages"], 0).tag(sync=True)
    filters = _Numbers(EXAMPLE["filters"], 1).tag(sync=True)
    order = traitlets.Enum(list(orders.ORDERS), EXAMPLE["order"]).tag(sync=True)
    picked = traitlets.Enum(PARTS, "stage2").tag(sync=True)
    hide = Hidden(list(EXAMPLE)).tag(sync=True)

    def network(self) -> dict[str, Any]:
        """The arguments of ``build``, by name."""
        values = {name: getattr(self, name) for name in EXAMPLE}
        return values | {"stages": tuple(self.stages), "filters": tuple(self.filters)}

    def parts(self) -> list[cost.Part]:
        """The network's parts, as ``cost.parts`` gives them.

        Raises:
            ValueError: as ``build`` does.
        """
        return cost.parts(**self.network())

    def build(self) -> Any:
        """The Keras model that is shown."""
        from ...networks.article import build

        return build(**self.network())

    def call(self) -> str:
        """The line of code that builds it."""
        network = self.network()
        order = network.pop("order")
        positional = ", ".join(repr(value) for value in network.values())
        named = "" if order == EXAMPLE["order"] else f', order="{order}"'
        return f"ResNet.build({positional}{named})"

    def _fallback(self) -> tuple[str, Callable[[], bytes] | None]:
        try:
            parts = self.parts()
        except ValueError as error:
            return f"ArchitectureBuilder: {error}", None
        words = f"ArchitectureBuilder: {self.call()}. {_summary(parts)}"
        return words, lambda: self._picture(parts)

    def _picture(self, parts: Sequence[cost.Part]) -> bytes:
        from ... import plots

        image = (self.height, self.width, self.depth)
        title = "Build a residual network"  # as the page's; an answer is left to be found
        return plots.png(plots.to_scale(parts, image, self.picked, title=title))


def _summary(parts: Sequence[cost.Part]) -> str:
    modules, parameters, trainable, multiply_adds = (
        sum(getattr(part, name) for part in parts)
        for name in ("modules", "parameters", "trainable", "multiply_adds")
    )
    return (
        f"{modules} modules, {parameters:,} parameters, {trainable:,} of them trainable; "
        f"{multiply_adds:,} multiply-adds an image."
    )
