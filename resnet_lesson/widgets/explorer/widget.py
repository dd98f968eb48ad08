"""The gradient explorer: move the depth, see the gradient of every layer."""

import asyncio
import base64
import gzip
import importlib
import threading

import anywidget
import traitlets

from ...gradients import trends
from ..bundle import to_message, with_fallback
from ..source import read_sources
from . import grid, guesses

# A widget's module comes from a blob and can import nothing: its parts are joined here.
PARTS = (
    "chart/elements.js",
    "explorer/recorded.js",
    "chart/picture.js",
    "explorer/guess.js",
    "explorer/explorer.js",
)
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
# How a curve's name says what it is of; the gradient of the signal goes without saying.
QUANTITIES = {"weight_gradient": "gradient of the weights", "signal": "signal"}
# Decades that hold the curves of all questions, so that the axis need not move.
QUESTION_AXIS = (-35, 10)


def presets():
    """The questions with the whole setting of each, in order."""
    setting, found = FIRST, []
    for question, change in QUESTIONS:
        setting = setting | change
        found.append({"question": question, "setting": setting})
    return found


def _checked(check, value):
    """What ``check`` returns; its refusal as traitlets' own."""
    try:
        return check(value)
    except ValueError as error:
        raise traitlets.TraitError(str(error)) from error


def _check_pin(pin):
    layers, values = (pin.get(name) for name in ("layers", "values"))
    if not (
        isinstance(pin.get("label"), str)
        and all(isinstance(each, list) and each for each in (layers, values))
        and len(layers) == len(values)
        and all(type(layer) is int and 1 <= layer <= grid.load()["most"] for layer in layers)
        and all(_is_logarithm(value) for value in values)
    ):
        raise ValueError(
            "a pin must be a curve: label, layers, and values as many as layers; pin() makes one, "
            f"received {pin!r}"
        )
    return pin


def _is_logarithm(value):
    """Whether a norm has it; of JSON, where a whole decade comes without a point."""
    if isinstance(value, str):
        return value in grid.CODES
    return isinstance(value, (int, float)) and not isinstance(value, bool) and -324 < value <= 300


class _Int(traitlets.Int):
    """A whole number: True is none, though Python takes it for 1."""

    def validate(self, obj, value):
        if isinstance(value, bool):
            self.error(obj, value)
        return super().validate(obj, value)


class GradientExplorer(anywidget.AnyWidget):
    """Norms by layer of a stack, differentiated anew at every change.

    The traits are the whole interface: set one, in Python or by its control, and the rest
    follow. ``curve`` has a ``label``; ``layers``, counted from the input; and ``values``: for
    each of them the decimal logarithm of the norm, or ``"zero"``, ``"infinite"`` or
    ``"undefined"``. ``status`` says in words what it shows. ``pins`` are earlier curves that stay
    in the picture.
    With ``guessing`` the curve is hidden, and the reader's own, ``guess``, is drawn instead;
    ``guesses`` are those of others, drawn beside what was measured.

    Until TensorFlow is loaded a grid computed beforehand answers where it can. A reader's
    browser starts the loading, which goes on behind the first picture.

    Raises:
        traitlets.TraitError: a setting outside its range; nothing changes.
    """

    _esm = read_sources(*PARTS)
    _css = read_sources("chart/elements.css", "explorer/explorer.css")
    _engine = None  # of all explorers: the module, once it is loaded
    # JupyterLab delivers what the browser sets on a thread of its own, beside a running cell.
    _answering = threading.RLock()  # of all explorers: TensorFlow's seed belongs to the process

    depth = _Int(20, min=1, max=grid.load()["most"]).tag(sync=True)
    activation = traitlets.Enum(CHOICES["activation"], "sigmoid").tag(sync=True)
    shortcut = traitlets.Bool(False).tag(sync=True)
    initializer = traitlets.Enum(CHOICES["initializer"], "glorot").tag(sync=True)
    normalization = traitlets.Bool(False).tag(sync=True)
    order = traitlets.Enum(CHOICES["order"], "full_preactivation").tag(sync=True)
    kind = traitlets.Enum(CHOICES["kind"], "dense").tag(sync=True)
    quantity = traitlets.Enum(CHOICES["quantity"], "signal_gradient").tag(sync=True)
    seed = _Int(0, min=0, max=2**32 - 1).tag(sync=True)

    curve = traitlets.Dict().tag(sync=True)
    status = traitlets.Unicode().tag(sync=True)
    pins = traitlets.List(traitlets.Dict()).tag(sync=True, to_json=to_message)
    guessing = traitlets.Bool(False).tag(sync=True)
    guess = traitlets.Dict().tag(sync=True)
    guesses = traitlets.List(traitlets.Dict()).tag(sync=True)
    answers = traitlets.Int(0).tag(sync=True)  # counts them, so that the browser hears each

    presets = traitlets.List(presets()).tag(sync=True)
    preset_axis = traitlets.List(list(QUESTION_AXIS)).tag(sync=True)
    # Packed, as base64: a notebook that saves it keeps one short line.
    grid = traitlets.Unicode(
        base64.b64encode(gzip.compress(grid.FILE.read_bytes(), compresslevel=6, mtime=0)).decode()
    ).tag(sync=True)
    words = traitlets.Dict(
        {
            "subjects": trends.SUBJECTS,
            "sentences": trends.SENTENCES,
            "endings": trends.ENDINGS,
            "quantities": QUANTITIES,
        }
    ).tag(sync=True)

    def __init__(self, **settings):
        super().__init__(**settings)
        self._answered = None  # the setting of the last answer
        self.observe(self._recompute, list(TRAITS))
        self.on_msg(self._hear)
        self._recompute()

    def redraw(self):
        """Draw other random weights."""
        self.seed += 1

    def pin(self):
        """Keep the curve in the picture while the settings change."""
        self.pins = [*self.pins, self.curve]

    def open_guesses(self, folder):
        """Show the guesses that a class saved into one folder.

        Raises:
            ValueError: no guesses there, or a file that is none.
        """
        self.guesses = guesses.read(folder)

    @traitlets.validate("guess")
    def _check_guess(self, proposal):
        return _checked(guesses.check, proposal.value) if proposal.value else {}

    @traitlets.validate("guesses")
    def _check_guesses(self, proposal):
        return [_checked(guesses.check, guess) for guess in proposal.value]

    @traitlets.validate("pins")
    def _check_pins(self, proposal):
        return [_checked(_check_pin, pin) for pin in proposal.value]

    def label(self):
        """The settings in words."""
        return _label(self._asked())

    def _asked(self):
        return {trait: getattr(self, trait) for trait in TRAITS}

    def _recompute(self, _change=None):
        with self._answering:
            # The traits may move on meanwhile, by another thread: the answer is to these, and
            # whoever moves them asks again.
            asked = self._asked()
            # A question changes several traits at once; each calls, the first answers for all.
            if asked == self._answered:
                return
            curve, described = self._recorded(asked) or self._measured(asked)
            # One message for all, so that the picture and its words never disagree.
            with self.hold_sync():
                self.curve = curve | {"label": _curve_label(asked)}
                self.status = _words(asked, described)
                self.answers += 1
            self._answered = asked

    def _recorded(self, asked, whatever_is_loaded=False):
        """The grid's curve and description, while there is no engine; or None."""
        if asked["seed"] or (GradientExplorer._engine and not whatever_is_loaded):
            return None
        setting = {name: asked[name] for name in grid.SETTING}
        return grid.look_up(setting, asked["depth"], asked["quantity"])

    def _measured(self, asked):
        """The engine's curve and description."""
        self._load_engine()
        setting = {name: asked[name] for name in (*grid.SETTING, "depth", "seed")}
        norms = getattr(self._engine.stack_gradients(**setting), asked["quantity"])
        layers = list(range(1, asked["depth"] + 1))
        values = [grid.logarithm(norm) for norm in norms]
        return {"layers": layers, "values": values}, trends.describe(norms, asked["quantity"])

    def _hear(self, _widget, content, _buffers):
        """The browser says hello: tell it that a kernel is there, and load the engine."""
        if content != "hello":
            return
        self.send("here")
        if not GradientExplorer._engine:
            # Only the import goes on beside the kernel's own work: traits are not safe for that.
            loading = asyncio.get_running_loop().run_in_executor(None, self._load_engine)
            loading.add_done_callback(self._take_over)

    def _take_over(self, _loading=None):
        """Answer anew, with the engine in place of the grid."""
        with self._answering:
            self._answered = None
            self._recompute()

    @staticmethod
    def _load_engine():
        GradientExplorer._engine = importlib.import_module("resnet_lesson.gradients.stacks")

    def _repr_mimebundle_(self, **options):
        """The widget; words that do not vary; a picture for where no widget can run."""
        bundle, metadata = super()._repr_mimebundle_(**options)
        # From the grid where it can be: the same words before and after the engine is loaded.
        with self._answering:
            asked = self._asked()
            curve, described = self._recorded(asked, True) or self._measured(asked)
        words = f"GradientExplorer: {_words(asked, described)}"
        return with_fallback(bundle, words, lambda: self._picture(asked, curve)), metadata

    def _picture(self, asked, curve):
        """PNG bytes of the curve over the pinned ones."""
        from ... import plots

        drawn = {pin["label"]: pin for pin in self.pins} | {_label(asked): curve}
        norms = {
            label: (one["layers"], [grid.norm(value) for value in one["values"]])
            for label, one in drawn.items()
        }
        # A reader waits for this picture before the widget comes alive.
        ylabel = asked["quantity"].replace("_", " ")
        return plots.png(plots.gradient_curves(norms, plots.quick_axes(), ylabel))


def _label(asked):
    """Settings in words."""
    kind, depth, order = asked["kind"], asked["depth"], asked["order"]
    layers = {"dense": "layer", "convolution": "convolution"}.get(kind, f"{kind} module")
    parts = [
        f"{depth} {asked['activation']} {layers}{'s' if depth > 1 else ''}",
        f"{asked['initializer']} weights",
        *(["BN"] if asked["normalization"] else []),
        *(["shortcuts"] if asked["shortcut"] else []),
        *([order.replace("_", " ")] if order != "full_preactivation" else []),
        *([f"draw {asked['seed'] + 1}"] if asked["seed"] else []),
    ]
    return ", ".join(parts)


def _curve_label(asked):
    other = QUANTITIES.get(asked["quantity"])
    return f"{_label(asked)}, {other}" if other else _label(asked)


def _words(asked, described):
    return f"{_label(asked)}. {trends.sentence(described, asked['quantity'])}"
