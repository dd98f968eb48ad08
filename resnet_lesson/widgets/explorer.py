"""The gradient explorer: move the depth, see the gradient of every layer."""

import base64
import importlib
import threading
from pathlib import Path

import anywidget
import traitlets

from .. import curves
from . import grid

FOLDER = Path(__file__).parent
CHOICES = grid.load()["choices"]
TRAITS = (*grid.SETTING, "depth", "quantity", "seed")
FIRST = {
    "depth": 50,
    "activation": "sigmoid",
    "initializer": "glorot",
    "normalization": False,
    "shortcut": False,
    "order": "full_preactivation",
    "kind": "dense",
    "quantity": "signal_gradient",
    "seed": 0,
}
# Each question changes one control of the one before.
QUESTIONS = (
    ("Where did the gradient go?", {}),
    ("Change only the activation", {"activation": "relu"}),
    ("Now only the initialiser", {"initializer": "he"}),
    ("Does BN fix it?", {"normalization": True}),
    ("And a shortcut?", {"shortcut": True}),
    ("A shortcut without BN?", {"normalization": False}),
    ("BN back", {"normalization": True}),
    ("Move one BN", {"order": "bn_after_addition"}),
)
# Decades that hold the curves of all questions, so that the axis need not move.
QUESTION_AXIS = (-35, 10)


def presets():
    """The questions with the whole setting of each, in order."""
    setting, found = FIRST, []
    for question, change in QUESTIONS:
        setting = setting | change
        found.append({"question": question, "setting": setting})
    return found


class GradientExplorer(anywidget.AnyWidget):
    """Norms by layer of a stack, differentiated anew at every change.

    The traits are the whole interface: set one, in Python or by its control, and the rest
    follow. ``curve`` has ``layers``, counted from the input, and ``values``: for each of them
    the decimal logarithm of the norm, or ``"zero"``, ``"infinite"`` or ``"undefined"``.
    ``status`` says in words what it shows. ``pins`` keeps earlier curves in the picture.

    Until TensorFlow is loaded a grid computed beforehand answers where it can. A reader's
    browser starts the loading, which goes on behind the first picture.

    Raises:
        traitlets.TraitError: a setting outside its range; nothing changes.
    """

    _esm = FOLDER / "explorer.js"
    _css = FOLDER / "explorer.css"
    _engine = None  # of all explorers: the module, once it is loaded

    depth = traitlets.Int(20, min=1, max=grid.load()["most"]).tag(sync=True)
    activation = traitlets.Enum(CHOICES["activation"], "sigmoid").tag(sync=True)
    shortcut = traitlets.Bool(False).tag(sync=True)
    initializer = traitlets.Enum(CHOICES["initializer"], "glorot").tag(sync=True)
    normalization = traitlets.Bool(False).tag(sync=True)
    order = traitlets.Enum(CHOICES["order"], "full_preactivation").tag(sync=True)
    kind = traitlets.Enum(CHOICES["kind"], "dense").tag(sync=True)
    quantity = traitlets.Enum(CHOICES["quantity"], "signal_gradient").tag(sync=True)
    seed = traitlets.Int(0, min=0, max=2**32 - 1).tag(sync=True)

    curve = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    pins = traitlets.List(traitlets.Dict()).tag(sync=True)
    answers = traitlets.Int(0).tag(sync=True)  # counts them, so that the browser hears each

    presets = traitlets.List(presets()).tag(sync=True)
    preset_axis = traitlets.List(list(QUESTION_AXIS)).tag(sync=True)
    # As text: a notebook that saves it keeps one line, not one for each of its numbers.
    grid = traitlets.Unicode(grid.FILE.read_text()).tag(sync=True)
    words = traitlets.Dict(
        {"subjects": curves.SUBJECTS, "sentences": curves.SENTENCES, "endings": curves.ENDINGS}
    ).tag(sync=True)

    def __init__(self, **settings):
        super().__init__(**settings)
        self._lock = threading.RLock()
        self.observe(self._recompute, list(TRAITS))
        self.on_msg(self._hear)
        self._recompute()

    def redraw(self):
        """Draw other random weights."""
        self.seed += 1

    def pin(self):
        """Keep the curve in the picture while the settings change."""
        self.pins = [*self.pins, {"label": self.label(), "curve": self.curve}]

    def label(self):
        """The settings in words."""
        layers = {"dense": "layer", "convolution": "convolution"}.get(
            self.kind, f"{self.kind} module"
        )
        parts = [
            f"{self.depth} {self.activation} {layers}{'s' if self.depth > 1 else ''}",
            f"{self.initializer} weights",
            *(["BN"] if self.normalization else []),
            *(["shortcuts"] if self.shortcut else []),
            *([self.order.replace("_", " ")] if self.order != "full_preactivation" else []),
            *([f"draw {self.seed + 1}"] if self.seed else []),
        ]
        return ", ".join(parts)

    def _recompute(self, _change=None):
        # One message for all, so that the picture and its words never disagree.
        with self._lock, self.hold_sync():
            self.curve, described = self._recorded() or self._measured()
            self.status = self._words(described)
            self.answers += 1

    def _words(self, described):
        return f"{self.label()}. {curves.sentence(described, self.quantity)}"

    def _recorded(self, whatever_is_loaded=False):
        """The grid's curve and description, while there is no engine; or None."""
        if self.seed or (GradientExplorer._engine and not whatever_is_loaded):
            return None
        setting = {name: getattr(self, name) for name in grid.SETTING}
        return grid.look_up(setting, self.depth, self.quantity)

    def _measured(self):
        """The engine's curve and description."""
        self._load_engine()
        setting = {name: getattr(self, name) for name in grid.SETTING}
        result = self._engine.stack_gradients(self.depth, seed=self.seed, **setting)
        norms = getattr(result, self.quantity)
        layers = list(range(1, self.depth + 1))
        values = [grid.logarithm(norm) for norm in norms]
        return {"layers": layers, "values": values}, curves.describe(norms, self.quantity)

    def _hear(self, _widget, content, _buffers):
        """The browser says hello: tell it that a kernel is there, and load the engine."""
        if content != "hello":
            return
        self.send("here")
        if not GradientExplorer._engine:
            threading.Thread(target=self._take_over, daemon=True).start()

    def _take_over(self):
        self._load_engine()
        self._recompute()

    @staticmethod
    def _load_engine():
        GradientExplorer._engine = importlib.import_module("resnet_lesson.stacks")

    def _repr_mimebundle_(self, **options):
        """The widget; words that do not vary; a picture for where no widget can run."""
        bundle, metadata = super()._repr_mimebundle_(**options)
        # From the grid where it can be: the same words before and after the engine is loaded.
        curve, described = self._recorded(whatever_is_loaded=True) or self._measured()
        bundle["text/plain"] = f"GradientExplorer: {self._words(described)}"
        bundle["image/png"] = base64.b64encode(self._picture(curve)).decode()
        return bundle, metadata

    def _picture(self, curve):
        """PNG bytes of the curve over the pinned ones."""
        from .. import plots

        drawn = {pin["label"]: pin["curve"] for pin in self.pins} | {self.label(): curve}
        norms = {
            label: (one["layers"], [grid.norm(value) for value in one["values"]])
            for label, one in drawn.items()
        }
        return plots.png(plots.gradient_curves(norms, ylabel=self.quantity.replace("_", " ")))
