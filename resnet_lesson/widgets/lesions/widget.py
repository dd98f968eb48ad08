"""The lesion explorer: delete modules of a trained network, and see what it still knows."""

import json
from collections.abc import Callable, Iterable
from typing import Any

import traitlets

from ... import pretrained
from ...checks import check_rule, shown
from ...pretrained.lesion_record import check_record
from ..frontend import Checked, LessonWidget, read_bundle

MEASURED = ("modules", "class_names", "images", "counts")  # and never set afterwards


def _to_text(counts: list, widget: Any) -> str:
    return json.dumps(counts, separators=(",", ":"))


def _check_names(what: str, value: Any) -> list[str]:
    """A list of names, each once."""
    is_list = isinstance(value, (list, tuple)) and all(isinstance(name, str) for name in value)
    check_rule(what, value, "be a list of names of modules", is_list)
    return list(dict.fromkeys(value))


class LesionExplorer(LessonWidget):
    """A trained network as a row of modules, and the test images that it classifies without some.

    All sets of modules have been measured, so that it answers at once, with a kernel or without.

    Args:
        record: as ``pretrained.lesions`` returns it; that of the lesson's network, if not given.

    ``deleted`` is a trait: the names of the modules that are gone. ``tried`` is another: those
    that were deleted alone, whose outcome stays in the picture.

    Raises:
        ValueError: the record is not one.
        traitlets.TraitError: a name in either is not that of a module; nothing changes.
        TypeError: a name that is no trait's.
    """

    _esm, _css = read_bundle("lesions")
    _from_page = ("deleted", "tried")

    deleted = Checked([], _check_names).tag(sync=True)
    tried = Checked([], _check_names).tag(sync=True)
    modules = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    class_names = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    images = traitlets.List(traitlets.Int(), read_only=True).tag(sync=True)
    # Indexed by the deleted set as a binary number, the first module its highest digit: (right,
    # answers). Sent as text: a notebook would keep each number of a list on a line of its own.
    counts: traitlets.List[Any] = traitlets.List(read_only=True).tag(sync=True, to_json=_to_text)

    def __init__(self, record: dict[str, Any] | None = None, **traits: Any) -> None:
        for name in set(MEASURED).intersection(traits):
            raise traitlets.TraitError(
                f"{name} must come from the record that a LesionExplorer is made of, "
                f"received {shown(traits[name])}"
            )
        record = check_record(pretrained.lesions() if record is None else record)
        counts = [[row["right"], row["answers"]] for row in record["without"]]
        for name, value in {**record, "counts": counts}.items():
            if name in MEASURED:
                self.set_trait(name, value)
        super().__init__(**traits)

    @traitlets.validate("deleted", "tried")
    def _check_modules(self, proposal: Any) -> list[str]:
        self._check(proposal.trait.name, proposal.value, traitlets.TraitError)
        return proposal.value

    def _check(self, what: str, names: Iterable[str], error: type[Exception]) -> None:
        for name in names:
            if name not in self.modules:
                raise error(
                    f"{what} must name modules of {', '.join(self.modules)}, received {shown(name)}"
                )

    def accuracy(self, *deleted: str) -> float:
        """The share of the test images that is classified correctly without these modules.

        Raises:
            ValueError: a name is not that of a module.
        """
        self._check("deleted", deleted, ValueError)
        index = int("".join(str(int(name in deleted)) for name in self.modules), 2)
        return sum(self.counts[index][0]) / sum(self.images)

    def _fallback(self) -> tuple[str, Callable[[], bytes]]:
        gone = f"without {', '.join(self.deleted)}" if self.deleted else "whole"
        words = (
            f"LesionExplorer: the network, {gone}, classifies "
            f"{100 * self.accuracy(*self.deleted):.1f} % of {sum(self.images):,} test images "
            "correctly."
        )
        return words, self._picture

    def _picture(self) -> bytes:
        from ... import plots

        accuracies = (self.accuracy(*self.deleted), self.accuracy())
        return plots.png(plots.lesions(self.modules, self.deleted, *accuracies))
