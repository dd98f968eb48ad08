"""The gradient explorer: move the depth, see the gradient of every layer."""

import asyncio
import base64
import gzip
import importlib
import json
import os
import threading
from collections.abc import Callable, Iterable, Sequence
from types import ModuleType
from typing import Any

import traitlets

from ...checks import check_choice, check_flag, check_integer, check_rule, shown
from ...gradients import trends
from ..frontend import Checked, LessonWidget, check_hidden, read_bundle, to_message
from . import grid, guess_code, guesses

CHOICES = grid.load()["choices"]
TRAITS = (*grid.SETTING, "depth", "quantity", "seed")
FIRST: dict[str, Any] = {  # the setting of the first question
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
# The walk. Each question changes one control of the question before, and has its answer's reason.
QUESTIONS: tuple[tuple[str, dict[str, Any], str], ...] = (
    (
        "How much gradient reaches the first of 50 sigmoid layers?",
        {},
        "Each sigmoid layer hands on about a quarter of what it gets, and 49 quarters, multiplied, "
        "leave almost nothing.",
    ),
    (
        "What if only the activation changes, to ReLU?",
        {"activation": "relu"},
        "Now each layer hands on about seven tenths: far more, and still too little fifty times "
        "over.",
    ),
    (
        "And if the layers start with He's weights?",
        {"initializer": "he"},
        "He's weights are larger, just so much that they make up for the half that ReLU cuts off.",
    ),
    (
        "Does batch normalisation make it safe?",
        {"normalization": True},
        "Batch normalisation keeps the signal level, not the gradient: on the way back to the "
        "input, the gradient grows by about a fifth in each layer.",
    ),
    (
        "What does a shortcut do to that growth?",
        {"shortcut": True},
        "The shortcut hands the gradient on as it is, and each branch adds only a little.",
    ),
    (
        "And with twice as many layers?",
        {"depth": 100},
        "The growth slows down with depth: the more a sum already holds, the less a branch adds.",
    ),
    (
        "What if one norm moves behind the addition?",
        {"order": "bn_after_addition"},
        "Now that norm stands on the shortcut's way, and its factor multiplies in every layer.",
    ),
    (
        "And a shortcut with no batch normalisation at all?",
        {"normalization": False},
        "Every branch adds about as much as it was given, so signal and gradient grow by about a "
        "half in each layer.",
    ),
)
# What a label calls the layers of a kind; "module" goes with all others.
LAYERS = {"dense": "layer", "convolution": "convolution"}
# Names that are not written as they are spelt.
WORDS = {
    "relu": "ReLU",
    "gelu": "GELU",
    "he": "He's",
    "glorot": "Glorot's",
    "original": "original order",
    "bn_after_addition": "BN after addition",
    "relu_before_addition": "ReLU before addition",
    "relu_only_preactivation": "ReLU-only pre-activation",
    "full_preactivation": "full pre-activation",
}
# What an order is where its norm does nothing.
WITHOUT_BN = {
    "bn_after_addition": "original",
    "relu_only_preactivation": "full_preactivation",
}
# What a curve's label says of its quantity; the gradient of the signal is not mentioned.
QUANTITIES = {"weight_gradient": "gradient of the weights", "signal": "signal"}
# Decades that hold the curves of all questions, so that the axis does not move.
QUESTION_AXIS = (-35, 20)
# What a teacher may hide.
PARTS = (*(name for name in FIRST if name != "seed"), "questions", "guess")


def questions() -> list[dict[str, Any]]:
    """The questions in order, each with its complete setting and the control that it speaks of."""
    setting, found = FIRST, []
    for question, change, why in QUESTIONS:
        setting = setting | change
        control = next(iter(change), "depth")
        found.append({"question": question, "control": control, "setting": setting, "why": why})
    return found


def _checked_settings(compare: Any) -> list[dict[str, Any]]:
    """The settings to compare with, each a dict of what differs."""
    if isinstance(compare, (list, tuple)) and all(
        isinstance(changes, dict) and set(changes) <= set(TRAITS) for changes in compare
    ):
        return list(compare)
    raise traitlets.TraitError(
        "compare must be a list of dicts of what differs, such as [{'depth': 100}], with the names "
        f"{', '.join(TRAITS)}, received {shown(compare)}"
    )


def _check_guess(what: str, value: Any) -> dict[str, Any]:
    """A guess; empty before there is one."""
    is_empty = isinstance(value, dict) and not value
    return {} if is_empty else guesses.check(value)


def _check_list(what: str, value: Any, check: Callable[[Any], dict[str, Any]]) -> list[Any]:
    """A list of what the check takes."""
    check_rule(what, value, "be a list", isinstance(value, (list, tuple)))
    try:
        return [check(one) for one in value]
    except ValueError as error:
        raise ValueError(f"each of {what} must be right: {error}") from error


def _check_pin(pin: Any) -> dict[str, Any]:
    held = pin if isinstance(pin, dict) else {}
    layers, values = held.get("layers"), held.get("values")
    if not (
        isinstance(held.get("label"), str)
        and pin.keys() <= {"label", "layers", "values", "setting", "page"}
        and isinstance(pin.get("page", True), bool)
        and ("setting" not in pin or guesses.is_setting(pin["setting"], TRAITS))
        and isinstance(layers, list)
        and isinstance(values, list)
        and layers
        and len(layers) == len(values)
        and all(type(layer) is int and 1 <= layer <= grid.load()["most"] for layer in layers)
        and sorted(set(layers)) == layers
        and all(_is_logarithm(value) for value in values)
    ):
        raise ValueError(
            "a pin must be a curve: label, layers, and values as many as layers; pin() makes one, "
            f"received {shown(pin)}"
        )
    return pin


def _is_logarithm(value: Any) -> bool:
    """Whether it is the logarithm of a norm, from JSON: a full decade comes as an int."""
    if isinstance(value, str):
        return value in grid.CODES
    # Norms of 32 bits have at most 45 decades either way; a picture can show three times as many.
    return isinstance(value, (int, float)) and not isinstance(value, bool) and abs(value) <= 150


class GradientExplorer(LessonWidget):
    """Norms by layer of a stack, differentiated again at every change.

    The traits are the interface: set one, in Python or by its control, and the rest follow.
    ``curve`` has a ``label`` and its ``setting``; ``layers``, counted from the input; and
    ``values``: for each layer the decimal logarithm of the norm, or ``"zero"``, ``"infinite"`` or
    ``"undefined"``. ``status`` says in words what is shown. ``pins`` are earlier curves that stay
    in the picture. With ``guessing`` the curve is hidden, and the reader's own, ``guess``, is drawn
    instead; ``guesses`` are those of others, drawn beside what was measured. ``question`` is the
    step of the walk through the questions, 0 outside of it. ``hide`` names controls that are not
    shown, and may have "questions" and "guess".

    Until TensorFlow is loaded, a precomputed grid answers where it can. The reader's browser
    starts the loading, which goes on while the first picture is shown.

    Args:
        compare: settings of curves to keep in the picture, each a dict of what differs.
        **traits: what to begin with.

    Raises:
        traitlets.TraitError: a setting outside its range; nothing changes.
    """

    _esm, _css = read_bundle("explorer")
    _from_page = (*TRAITS, "pins", "guessing", "guess", "guesses", "question")
    _engine: ModuleType | None = None  # shared by all explorers, once it is loaded
    # JupyterLab sets the browser's traits in a thread of its own, beside a running cell. One lock
    # for all explorers, because TensorFlow's seed belongs to the process.
    _lock = threading.RLock()

    depth = Checked(20, check_integer, 1, grid.load()["most"]).tag(sync=True)
    activation = Checked("sigmoid", check_choice, CHOICES["activation"]).tag(sync=True)
    shortcut = Checked(False, check_flag).tag(sync=True)
    initializer = Checked("glorot", check_choice, CHOICES["initializer"]).tag(sync=True)
    normalization = Checked(False, check_flag).tag(sync=True)
    order = Checked("full_preactivation", check_choice, CHOICES["order"]).tag(sync=True)
    kind = Checked("dense", check_choice, CHOICES["kind"]).tag(sync=True)
    quantity = Checked("signal_gradient", check_choice, CHOICES["quantity"]).tag(sync=True)
    seed = Checked(0, check_integer, 0, 2**32 - 1).tag(sync=True)

    # What the settings become.
    curve = traitlets.Dict(read_only=True).tag(sync=True)
    described = traitlets.Dict(read_only=True).tag(sync=True)  # as `trends.describe` does
    status = traitlets.Unicode(read_only=True)
    # A count, so that each answer sends a message.
    answers = traitlets.Int(0, read_only=True).tag(sync=True)

    pins = Checked([], _check_list, _check_pin).tag(sync=True, to_json=to_message)
    guessing = Checked(False, check_flag).tag(sync=True)
    guess = Checked({}, _check_guess).tag(sync=True)
    guesses = Checked([], _check_list, guesses.check).tag(sync=True)
    question = Checked(0, check_integer, 0, len(QUESTIONS)).tag(sync=True)
    hide = Checked((), check_hidden, PARTS).tag(sync=True)

    questions = traitlets.List(questions(), read_only=True).tag(sync=True)
    axis = traitlets.List(list(QUESTION_AXIS), read_only=True).tag(sync=True)
    # Compressed, as base64: one short line in a notebook that saves it.
    grid = traitlets.Unicode(
        base64.b64encode(
            gzip.compress(json.dumps(grid.recorded_kinds()).encode(), mtime=0)
        ).decode(),
        read_only=True,
    ).tag(sync=True)
    words = traitlets.Dict(
        {
            "seen": trends.SEEN,
            "nothing": trends.NOTHING,
            "zero": trends.ZERO,
            "odd": trends.ODD,
            "alone": trends.ALONE,
            "how": trends.HOW,
            "quantities": QUANTITIES,
        },
        read_only=True,
    ).tag(sync=True)

    def __init__(self, *, compare: Sequence[dict[str, Any]] = (), **traits: Any) -> None:
        compared = _checked_settings(compare)
        super().__init__(**traits)
        self._answered: dict[str, Any] | None = None  # the settings of the last answer
        self.observe(self._recompute, list(TRAITS))
        self.on_msg(self._on_message)
        self._recompute()
        for changes in compared:
            other = GradientExplorer(**self._settings() | changes)
            self._keep(other.curve)
            other.close()  # or a notebook would save it

    def redraw(self) -> None:
        """Draw other random weights."""
        self.seed += 1

    def pin(self) -> None:
        """Keep the curve in the picture while the settings change."""
        self._keep(self.curve)

    def _keep(self, curve: dict[str, Any]) -> None:
        """Pin it unless its setting is: grid and engine differ in the last digits of a value."""
        if curve["label"] not in [pin["label"] for pin in self.pins]:
            self.pins = [*self.pins, curve]

    def open_guesses(
        self,
        folder: str | os.PathLike[str] | None = None,
        *,
        codes: str | Iterable[str] | None = None,
    ) -> None:
        """Show the guesses of a class: files in one folder, or codes.

        Args:
            folder: where the class has saved them.
            codes: a text with one code a line, or an iterable of such lines, such as the column of
                a table. Blank lines are passed over, and a line may have a name beside its code.

        Raises:
            TypeError: not exactly one of the two is given.
            ValueError: no guesses are there, or a file or a line is not a guess; names it, and
                nothing changes.
        """
        if folder is not None and codes is None:
            self.guesses = guesses.read(folder)
        elif codes is not None and folder is None:
            self.guesses = guess_code.read(codes)
        else:
            raise TypeError("open_guesses takes a folder of files, or codes=...: one of the two")

    def label(self) -> str:
        """The settings in words."""
        return _label(self._settings())

    def _settings(self) -> dict[str, Any]:
        return {trait: getattr(self, trait) for trait in TRAITS}

    def _recompute(self, _change: Any = None) -> None:
        with self._lock:
            # Another thread may change traits meanwhile. This answer is to these settings; every
            # change of a trait calls again.
            settings = self._settings()
            # A question changes several traits at once. Each calls; the first call answers for all.
            if settings == self._answered:
                return
            curve, description = self._answer(settings)
            # One message for all, so that the picture and its words never disagree.
            with self.hold_sync():
                own = {"label": _curve_label(settings), "setting": settings}
                self.set_trait("curve", curve | own)
                self.set_trait("described", description)
                self.set_trait("status", _status(settings, description))
                self.set_trait("answers", self.answers + 1)
            self._answered = settings

    def _answer(
        self, settings: dict[str, Any], even_with_engine: bool = False
    ) -> tuple[dict[str, Any], dict[str, Any]]:
        """The curve and its description: the grid's where it has them, else the engine's.

        The grid is asked until the engine is loaded, and with ``even_with_engine`` also then.
        """
        depth, quantity = settings["depth"], settings["quantity"]
        if not settings["seed"] and (even_with_engine or not GradientExplorer._engine):
            recorded = grid.look_up(settings, depth, quantity)
            if recorded:
                return recorded
        arguments = {name: settings[name] for name in (*grid.SETTING, "depth", "seed")}
        norms = getattr(self._load_engine().stack_gradients(**arguments), quantity)
        values = [grid.logarithm(norm) for norm in norms]
        curve = {"layers": list(range(1, depth + 1)), "values": values}
        return curve, trends.describe(norms, quantity)

    def _on_message(self, _widget: Any, content: Any, _buffers: Any) -> None:
        """Answer the browser's hello, so that it knows of a kernel; then load the engine."""
        if content != "hello":
            return
        self.send("here")
        # What the page answered meanwhile may be of these settings, with other weights.
        self.send_state(["curve", "described", "answers"])
        if not GradientExplorer._engine:
            # Only the import runs beside the kernel's own work: traits are not thread-safe.
            loading = asyncio.get_running_loop().run_in_executor(None, self._load_engine)
            loading.add_done_callback(self._use_engine)

    def _use_engine(self, _loading: Any = None) -> None:
        """Answer again, with the engine in place of the grid."""
        with self._lock:
            self._answered = None
            self._recompute()

    @staticmethod
    def _load_engine() -> ModuleType:
        GradientExplorer._engine = importlib.import_module("resnet_lesson.gradients.stacks")
        return GradientExplorer._engine

    def _fallback(self) -> tuple[str, Callable[[], bytes]]:
        # From the grid where it can be: the same words before and after the engine is loaded.
        with self._lock:
            settings = self._settings()
            curve, description = self._answer(settings, even_with_engine=True)
        words = f"GradientExplorer: {_status(settings, description)}"
        curves = {pin["label"]: pin for pin in self.pins} | {_picture_label(settings): curve}
        if self.guessing:  # the answer is on no picture before the question was answered
            words = f"GradientExplorer: a guess of {_label(settings)}."
            level = {"layers": [1, settings["depth"]], "values": [0.0, 0.0]}
            curves = {"your guess": level}
        return words, lambda: self._picture(settings, curves)

    def _picture(self, settings: dict[str, Any], curves: dict[str, dict[str, Any]]) -> bytes:
        """PNG bytes of the curves."""
        from ... import plots

        norms = {
            label: (one["layers"], [grid.norm(value) for value in one["values"]])
            for label, one in curves.items()
        }
        # On quick axes: a reader waits for this picture before the widget comes alive.
        ylabel = f"size of the {QUANTITIES.get(settings['quantity'], 'gradient')}"
        ax = plots.gradient_curves(norms, plots.quick_axes(), ylabel)
        if self.guessing:  # room for any guess, as the widget has
            ax.set_ylim(*(10.0**end for end in QUESTION_AXIS))
        return plots.png(ax)


# What an explorer begins with, where nothing else is said.
DEFAULTS = {name: GradientExplorer.class_traits()[name].default() for name in TRAITS}


def _label(settings: dict[str, Any]) -> str:
    """Settings in words."""
    kind, depth, order = settings["kind"], settings["depth"], _order(settings)
    layers = LAYERS.get(kind, f"{kind} module")
    words = [
        f"{depth} {_word(settings['activation'])} {layers}{'s' if depth > 1 else ''}",
        f"{_word(settings['initializer'])} weights",
        *(["BN"] if settings["normalization"] else []),
        *(["shortcuts"] if settings["shortcut"] else []),
        *([_word(order)] if order != FIRST["order"] else []),
        *([f"draw {settings['seed'] + 1}"] if settings["seed"] else []),
    ]
    return ", ".join(words)


def _order(settings: dict[str, Any]) -> str:
    """The order; of those that come to the same without BN or shortcut, the one that names none."""
    order = settings["order"]
    if not settings["shortcut"] and "addition" in order:
        return "original"
    if not settings["normalization"] and order in WITHOUT_BN:
        return WITHOUT_BN[order]
    return order


def _word(name: str) -> str:
    return WORDS.get(name, name)


def _curve_label(settings: dict[str, Any]) -> str:
    quantity = QUANTITIES.get(settings["quantity"])
    return f"{_label(settings)}, {quantity}" if quantity else _label(settings)


def _picture_label(settings: dict[str, Any]) -> str:
    """The settings in words, with the one that gives the curve its colour."""
    return f"{'residual' if settings['shortcut'] else 'plain'}: {_label(settings)}"


def _status(settings: dict[str, Any], description: dict[str, Any]) -> str:
    return f"{_label(settings)}. {trends.sentence(description, settings['quantity'])}"
