"""The widgets that are fuzzed: how each is made, and states that it has had."""

import functools
import itertools
import json

import numpy as np
from anywidget import AnyWidget

from resnet_lesson import ArchitectureBuilder, GradientExplorer, LesionExplorer, TrainingPanel
from resnet_lesson.gradients.history import MEASURES
from resnet_lesson.widgets.explorer.guesses import GUESSED
from resnet_lesson.widgets.panel.recording import Recording

KINDS = ("explorer", "builder", "lesions", "replay", "panel")
NETWORKS = ("plain", "residual")
LAYERS = ("first", "stage1_unit1_conv1", "last")


def make(kind):
    """A new widget of this kind."""
    return {
        "explorer": lambda: GradientExplorer(compare=[{"depth": 9}]),
        "builder": ArchitectureBuilder,
        "lesions": lambda: LesionExplorer(lesions()),
        "replay": lambda: TrainingPanel(runs=runs(5)),
        "panel": lambda: TrainingPanel({name: str for name in NETWORKS}, epochs=2),
    }[kind]()


def own_names(widget):
    """Its own synced traits, without those of ipywidgets and anywidget."""
    names = [name for name in widget.keys if not name.startswith("_")]
    return [name for name in names if not AnyWidget.class_traits().get(name)]


@functools.cache
def states(kind):
    """States that a widget of this kind has had, as JSON holds them."""
    if kind == "race":  # which has no class in Python
        return RACES
    return [_closed(widget) for widget in _widgets(kind)]


RACES = (
    {"depth": 30, "rate": 0.03, "warmup": 0, "seed": 0},
    {"depth": 2, "rate": 0.1, "warmup": 50, "seed": 7},
)


def _closed(widget):
    state = json.loads(json.dumps(widget.get_state(own_names(widget))))
    widget.close()
    return state


def _widgets(kind):
    yield make(kind)
    match kind:
        case "explorer":
            yield GradientExplorer(depth=50, activation="relu", hide=["order", "guess"])
            yield GradientExplorer(depth=1, question=2, compare=[{"depth": 9}, {"seed": 1}])
            yield _guessed()
        case "builder":
            yield ArchitectureBuilder(stages=[1], filters=[16, 64], picked="stem", hide=["order"])
            yield ArchitectureBuilder(width=None, depth=2.5, stages=[], filters=[None] * 4)
            yield ArchitectureBuilder(width=8, stages=[2] * 20, filters=[4] * 21, order="original")
        case "lesions":
            yield LesionExplorer(lesions(), deleted=["stage1_unit1"], tried=["stage2_unit1"])
        case _:
            yield TrainingPanel(runs=runs(130), quantity=MEASURES[2], zoom=True)
            yield TrainingPanel(runs=runs(1)[:1])


def _guessed():
    explorer = GradientExplorer(kind="basic", shortcut=True, normalization=True, guessing=True)
    setting = {name: getattr(explorer, name) for name in GUESSED}
    explorer.guess = {"setting": setting, "end": -3.5, "bend": 0.25}
    explorer.guesses = [explorer.guess, explorer.guess | {"end": 2}]
    return explorer


def lesions():
    """What ``pretrained.lesions`` returns, of a network of three modules."""
    rows = []
    for number, bits in enumerate(itertools.product("01", repeat=3)):
        counts = {"right": [90 - 9 * number, 80], "answers": [100, 100]}
        rows.append({"deleted": "".join(bits)} | counts)
    modules = ["stage1_unit1", "stage1_unit2", "stage2_unit1"]
    same = {"modules": modules, "class_names": ["cat", "ship"], "images": [100, 100]}
    return same | {"without": rows}


# ---------------------------------------------------------------- trainings


def recorded(name, steps):
    """A made-up training, with norms and losses of all kinds."""
    random = np.random.default_rng(steps)
    made = Recording(name, LAYERS, total=2 * steps, metric="accuracy")
    for step in range(steps):
        norms = 10.0 ** random.uniform(-12, 6, (len(MEASURES), len(LAYERS)))
        norms[random.random(norms.shape) < 0.1] = random.choice([0, np.inf, np.nan])
        made.add(step, norms, (random.choice([2.5, 1e-4, np.nan]), random.random()))
    made.steps, made.seconds = steps, 1.5
    return made


def runs(steps):
    return [recorded(name, steps).to_json() for name in NETWORKS]


def parts():
    """Lists of runs as messages bring them: whole, or what is new of them."""
    new = [recorded(name, 7).to_json(5, 5) for name in NETWORKS]
    return [], runs(3), new, runs(200)[:1]


class Pretended:
    """In place of a fit's callback: a recording that grows by a step at each flush."""

    network = seconds_left = None

    def __init__(self, name):
        self.recording = recorded(name, 1)

    def flush(self):
        step = self.recording.steps
        self.recording.add(step, np.full((len(MEASURES), len(LAYERS)), 2.0), (np.nan, 0.5))
        self.recording.steps += 1


def pretended(name, job):
    """In place of ``fit_network``: a few steps; every other residual network then fails."""
    job.take_turn(name, pass_on=False)
    job.callbacks[name] = Pretended(name)
    for _ in range(4):
        if job.stopping:
            return
        job.show(if_due=True)
        job.take_turn(name)
    if name == "residual" and next(COUNT) % 2:
        raise OSError(2, "no \ud800 such file")


COUNT = itertools.count()
