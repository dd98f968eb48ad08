"""The widgets that are fuzzed: how each is made, and states that it has had."""

import functools
import itertools
import json

import numpy as np

from resnet_lesson import ArchitectureBuilder, GradientExplorer, LesionExplorer, TrainingPanel
from resnet_lesson.gradients.history import MEASURES
from resnet_lesson.widgets.explorer.guesses import GUESSED
from resnet_lesson.widgets.panel.recording import Recording

KINDS = ("explorer", "builder", "lesions", "replay", "panel")
LAYERS = ("first", "stage1_unit1_conv1", "last")


def small_record():
    """What ``pretrained.lesions`` returns, of a network of three modules."""
    rows = []
    for number, bits in enumerate(itertools.product("01", repeat=3)):
        counts = {"right": [90 - 9 * number, 80], "answers": [100, 100]}
        rows.append({"deleted": "".join(bits)} | counts)
    modules = ["stage1_unit1", "stage1_unit2", "stage2_unit1"]
    return {"modules": modules, "class_names": ["cat", "ship"], "images": [100, 100]} | {
        "without": rows
    }


def recorded(name, steps, seed=0):
    """A run of a made-up training: norms of all kinds."""
    random = np.random.default_rng(seed)
    run = Recording(name, LAYERS, total=2 * steps, metric="accuracy")
    for step in range(steps):
        norms = 10.0 ** random.uniform(-12, 6, (len(MEASURES), len(LAYERS)))
        norms[random.random(norms.shape) < 0.1] = random.choice([0, np.inf, np.nan])
        run.add(step, norms, (random.choice([2.5, 1e-4, np.nan]), random.random()))
    run.steps, run.seconds = steps, 1.5
    return run


def runs(steps):
    return [recorded(name, steps).to_json() for name in ("plain", "residual")]


def parts(steps, start):
    """What is new of such runs from a column on."""
    return [recorded(name, steps).to_json(start, start) for name in ("plain", "residual")]


def copied(value):
    return json.loads(json.dumps(value))


RACES = (
    {"depth": 30, "rate": 0.03, "warmup": 0, "seed": 0},
    {"depth": 2, "rate": 0.1} | {"warmup": 50, "seed": 7},
)


@functools.cache
def makers():
    return {"plain": lambda: None, "residual": lambda: None}


def pretended(name, job):
    """In place of ``fit_network``: a network of four steps, or of three and an error."""
    job.take_turn(name, pass_on=False)
    callback = Pretended(name)
    job.callbacks[name] = callback
    for _ in range(4):
        if job.stopping:
            return
        callback.flush()
        job.show(if_due=True)
        job.take_turn(name)
    if callback.odd:
        raise OSError(2, "no \ud800 such file")


class Pretended:
    network = seconds_left = None

    def __init__(self, name):
        self.recording = recorded(name, 1)
        self.odd = name == "residual" and id(self) % 3 == 0

    def flush(self):
        self.recording.add(self.recording.steps, np.full((3, 3), 2.0), (np.nan, 0.5))
        self.recording.steps += 1


def make(kind):
    """A new widget of this kind."""
    return {
        "explorer": lambda: GradientExplorer(kind="dense"),
        "builder": ArchitectureBuilder,
        "lesions": lambda: LesionExplorer(small_record()),
        "replay": lambda: TrainingPanel(runs=runs(5)),
        "panel": lambda: TrainingPanel(makers(), epochs=2),
    }[kind]()


def closed(widget):
    """What it has synced, and the widget is gone."""
    state = {name: widget.get_state()[name] for name in own_names(widget)}
    widget.close()
    return json.loads(json.dumps(state))


def own_names(widget):
    """Its own synced traits, without those of ipywidgets and anywidget."""
    return [
        name
        for name in widget.keys
        if getattr(widget.traits()[name].this_class, "__module__", "").startswith("resnet_lesson")
        and not name.startswith("_")
    ]


@functools.cache
def states(kind):
    """States that a widget of this kind has had, as JSON holds them."""
    return [
        closed(widget)
        for widget in {"explorer": explorers, "builder": builders}.get(kind, lambda: others(kind))()
    ]


def explorers():
    yield GradientExplorer()
    yield GradientExplorer(depth=50, activation="relu", hide=["seed"][:0] + ["order", "guess"])
    kept = GradientExplorer(depth=1, compare=[{"depth": 100}, {"quantity": "signal"}])
    kept.question = 2
    yield kept
    guessed = GradientExplorer(kind="basic", shortcut=True, normalization=True, guessing=True)
    setting = {name: getattr(guessed, name) for name in GUESSED}
    guess = {"setting": setting, "end": -3.5, "bend": 0.25}
    guessed.guess, guessed.guesses = guess, [guess, guess | {"end": 2}]
    yield guessed


def builders():
    yield ArchitectureBuilder()
    yield ArchitectureBuilder(stages=[1], filters=[16, 64], picked="stem", hide=["order"])
    yield ArchitectureBuilder(width=None, depth=2.5, stages=[], filters=[None] * 4)
    yield ArchitectureBuilder(width=8, stages=[2] * 20, filters=[4] * 21, order="original")


def others(kind):
    yield make(kind)
    if kind == "lesions":
        yield LesionExplorer(small_record(), deleted=["stage1_unit1"], tried=["stage2_unit1"])
    else:
        yield TrainingPanel(runs=runs(130), quantity=MEASURES[2], zoom=True)
        yield TrainingPanel(runs=runs(1)[:1])
