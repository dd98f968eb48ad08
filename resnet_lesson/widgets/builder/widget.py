"""The architecture builder: change stages and filters, see what the network becomes."""

from collections.abc import Callable, Sequence
from typing import Any

import traitlets

from ...networks import cost, orders, rules
from ..frontend import LessonWidget, read_sources

SOURCES = ("chart/elements.js", "builder/builder.js")
EXAMPLE: dict[str, Any] = {  # the arguments of ``build``
    "width": 64,
    "height": 64,
    "depth": 3,
    "classes": 200,
    "stages": [3, 4, 6],
    "filters": [64, 128, 256, 512],
    "order": "full_preactivation",
}


def _number(default: Any) -> traitlets.Union:
    """A trait for whatever a number field may hold; ``build`` says what is wrong with it."""
    kinds = [traitlets.Int(), traitlets.Float()]
    return traitlets.Union(kinds, allow_none=True, default_value=default)


class ArchitectureBuilder(LessonWidget):
    """The article's network to scale, with its sizes, and the call that builds it.

    The traits are the arguments of ``build``. They may hold what is impossible: the widget then
    shows the error of ``build`` in place of the network.
    """

    _esm = read_sources(*SOURCES)
    _css = read_sources("chart/elements.css", "builder/builder.css")

    width = _number(EXAMPLE["width"]).tag(sync=True)
    height = _number(EXAMPLE["height"]).tag(sync=True)
    depth = _number(EXAMPLE["depth"]).tag(sync=True)
    classes = _number(EXAMPLE["classes"]).tag(sync=True)
    stages = traitlets.List(_number(1), EXAMPLE["stages"]).tag(sync=True)
    filters = traitlets.List(_number(4), EXAMPLE["filters"]).tag(sync=True)
    order = traitlets.Enum(list(orders.ORDERS), EXAMPLE["order"]).tag(sync=True)

    example = traitlets.Dict(EXAMPLE).tag(sync=True)
    words = traitlets.Dict(
        {
            "rules": rules.RULES,
            "orders": {name: order._asdict() for name, order in orders.ORDERS.items()},
        }
    ).tag(sync=True)

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

        return plots.png(plots.to_scale(parts, (self.height, self.depth)))


def _summary(parts: Sequence[cost.Part]) -> str:
    modules, parameters, trainable, multiply_adds = (
        sum(getattr(part, name) for part in parts)
        for name in ("modules", "parameters", "trainable", "multiply_adds")
    )
    return (
        f"{modules} modules, {parameters:,} parameters, {trainable:,} of them trainable; "
        f"{multiply_adds:,} multiply-adds an image."
    )
