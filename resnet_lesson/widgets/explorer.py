"""The gradient explorer: move the depth, see the gradient of every layer."""

import base64
from pathlib import Path

import anywidget
import numpy as np
import traitlets

from .. import plots, stacks

FOLDER = Path(__file__).parent


class GradientExplorer(anywidget.AnyWidget):
    """Weight-gradient norm by layer of a dense stack, differentiated anew at every change.

    The traits are the whole interface: set one, in Python or by its control, and ``curve`` and
    ``status`` follow. ``curve`` has for each layer, input side first, the decimal logarithm of
    the norm, or ``"zero"``, ``"infinite"`` or ``"undefined"`` where it has none.

    Raises:
        traitlets.TraitError: a setting outside its range.
    """

    _esm = FOLDER / "explorer.js"
    _css = FOLDER / "explorer.css"

    depth = traitlets.Int(20, min=1, max=stacks.MAX_DEPTH).tag(sync=True)
    activation = traitlets.Enum(tuple(stacks.ACTIVATIONS), "sigmoid").tag(sync=True)
    initializer = traitlets.Enum(stacks.INITIALIZERS, "glorot").tag(sync=True)
    normalization = traitlets.Bool(False).tag(sync=True)
    shortcut = traitlets.Bool(False).tag(sync=True)
    choices = traitlets.Dict(
        {
            "activation": list(stacks.ACTIVATIONS),
            "initializer": list(stacks.INITIALIZERS),
            "depth": stacks.MAX_DEPTH,
        }
    ).tag(sync=True)
    curve = traitlets.List().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)

    def __init__(self, **settings):
        super().__init__(**settings)
        self.observe(
            self._recompute, ["depth", "activation", "initializer", "normalization", "shortcut"]
        )
        self._recompute()

    def norms(self):
        """The weight-gradient norms (depth,) of the stack that is set, input side first."""
        return stacks.stack_gradients(
            self.depth,
            activation=self.activation,
            initializer=self.initializer,
            normalization=self.normalization,
            shortcut=self.shortcut,
        ).weight_gradient

    def _recompute(self, _change=None):
        norms = self.norms()
        # One message for both, so that the picture and its words never disagree.
        with self.hold_sync():
            self.curve = [_logarithm(norm) for norm in norms]
            self.status = f"{self._settings()}: the gradient {plots.describe_norms(norms)}."

    def _settings(self):
        extras = [
            *(["batch normalisation"] if self.normalization else []),
            *(["shortcuts"] if self.shortcut else []),
        ]
        layers = "layer" if self.depth == 1 else "layers"
        return ", ".join(
            [f"{self.depth} {self.activation} {layers}", f"{self.initializer} weights", *extras]
        )

    def _repr_mimebundle_(self, **options):
        """The widget; words that do not vary; a picture for where no widget can run."""
        bundle, metadata = super()._repr_mimebundle_(**options)
        norms = self.norms()
        picture = plots.png(plots.gradient_curves({self._settings(): norms}))
        bundle["text/plain"] = f"GradientExplorer: {self.status}"
        bundle["image/png"] = base64.b64encode(picture).decode()
        return bundle, metadata


def _logarithm(norm):
    if np.isnan(norm):
        return "undefined"
    if np.isinf(norm):
        return "infinite"
    return float(np.log10(norm)) if norm > 0 else "zero"
