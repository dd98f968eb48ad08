"""The architecture builder: change stages and filters, see what the network becomes."""

from collections.abc import Callable, Sequence
from numbers import Real
from typing import Any

from ...checks import check_choice, check_rule
from ...networks import cost, orders
from ..frontend import Checked, LessonWidget, check_hidden, read_bundle

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


def _check_number(what: str, value: Any) -> float | None:
    """What a number field may hold; ``build`` says what is wrong with it."""
    if value is None:
        return None
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    within = is_number and abs(value) <= MOST  # which NaN is not
    check_rule(what, value, f"be a number from {-MOST} to {MOST}, or None", within)
    return int(value) if value == int(value) else float(value)


def _check_numbers(what: str, value: Any, most: int) -> list[float | None]:
    """A number for each stage, and perhaps one more."""
    is_list = isinstance(value, (list, tuple)) and len(value) <= most
    check_rule(what, value, f"be a list of at most {most} numbers", is_list)
    return [_check_number(f"{what}[{at}]", one) for at, one in enumerate(value)]


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

    width = Checked(EXAMPLE["width"], _check_number).tag(sync=True)
    height = Checked(EXAMPLE["height"], _check_number).tag(sync=True)
    depth = Checked(EXAMPLE["depth"], _check_number).tag(sync=True)
    classes = Checked(EXAMPLE["classes"], _check_number).tag(sync=True)
    stages = Checked(EXAMPLE["stages"], _check_numbers, STAGES).tag(sync=True)
    filters = Checked(EXAMPLE["filters"], _check_numbers, STAGES + 1).tag(sync=True)
    order = Checked(EXAMPLE["order"], check_choice, list(orders.ORDERS)).tag(sync=True)
    picked = Checked("stage2", check_choice, PARTS).tag(sync=True)
    hide = Checked((), check_hidden, list(EXAMPLE)).tag(sync=True)

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
