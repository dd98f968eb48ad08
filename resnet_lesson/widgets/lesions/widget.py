"""The lesion explorer: delete modules of a trained network, and see what it still knows."""

import json

import anywidget
import traitlets

from ... import pretrained
from ..bundle import with_fallback
from ..source import read_sources

PARTS = ("chart/elements.js", "lesions/lesions.js")


def _as_text(counts, widget):
    return json.dumps(counts, separators=(",", ":"))


class LesionExplorer(anywidget.AnyWidget):
    """A trained network as a row of modules, and the test images it gets right without some.

    All sets of modules have been measured, so that it answers at once, with a kernel or without.

    Args:
        record: as ``pretrained.lesions`` returns it; that of the lesson's network, if not given.

    ``deleted`` is a trait: the names of the modules that are gone.

    Raises:
        traitlets.TraitError: ``deleted`` names what is no module.
    """

    _esm = read_sources(*PARTS)
    _css = read_sources("chart/elements.css", "lesions/lesions.css")

    deleted = traitlets.List(traitlets.Unicode()).tag(sync=True)
    modules = traitlets.List(traitlets.Unicode()).tag(sync=True)
    class_names = traitlets.List(traitlets.Unicode()).tag(sync=True)
    images = traitlets.List(traitlets.Int()).tag(sync=True)
    # By the set as a binary number, the first module its highest digit: right, then answers. They
    # travel as text: a notebook keeps each number of a list on a line of its own.
    counts = traitlets.List().tag(sync=True, to_json=_as_text)

    def __init__(self, record=None, **traits):
        record = record or pretrained.lesions()
        rows = sorted(record["without"], key=lambda row: row["deleted"])
        counts = [[row["right"], row["answers"]] for row in rows]
        same = {name: record[name] for name in ("modules", "class_names", "images")}
        super().__init__(**same, counts=counts, **traits)

    @traitlets.validate("deleted")
    def _check_deleted(self, proposal):
        self._check(proposal.value, traitlets.TraitError)
        return proposal.value

    def _check(self, names, error):
        for name in names:
            if name not in self.modules:
                raise error(
                    f"deleted must name modules of {', '.join(self.modules)}, received {name!r}"
                )

    def accuracy(self, *deleted):
        """The share of the test images that is told right without these modules.

        Raises:
            ValueError: a name is that of no module.
        """
        self._check(deleted, ValueError)
        number = int("".join(str(int(name in deleted)) for name in self.modules), 2)
        return sum(self.counts[number][0]) / sum(self.images)

    def _repr_mimebundle_(self, **options):
        """The widget; what it shows in words; a picture for where no widget can run."""
        bundle, metadata = super()._repr_mimebundle_(**options)
        gone = f"without {', '.join(self.deleted)}" if self.deleted else "whole"
        words = (
            f"LesionExplorer: {gone}, {100 * self.accuracy(*self.deleted):.1f} % of "
            f"{sum(self.images):,} test images right."
        )
        return with_fallback(bundle, words, self._picture), metadata

    def _picture(self):
        from ... import plots

        groups = {"whole": [self.accuracy()]}
        groups |= {f"without {name}": [self.accuracy(name)] for name in self.modules}
        return plots.png(plots.dots(groups, xlabel="share of the test images right"))
