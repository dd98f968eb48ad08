"""What Python and JavaScript both compute: the files that both sides are held to.

The other side's tests are in tests/javascript. ``python tests/widgets/test_shared.py`` writes the
files again.
"""

import itertools
import json
import random
from pathlib import Path

import numpy as np
import pytest

from resnet_lesson import ArchitectureBuilder
from resnet_lesson.networks import cost, rules
from resnet_lesson.widgets.builder import widget as builder
from resnet_lesson.widgets.explorer import grid, guess_code, guesses
from resnet_lesson.widgets.explorer import widget as explorer

HERE = Path(__file__).parent


def changed(**change):
    return builder.EXAMPLE | change


NETWORKS = [
    builder.EXAMPLE,
    *(changed(order=order) for order in list(builder.orders.ORDERS)[:-1]),
    changed(stages=[1], filters=[16, 32]),
    changed(stages=[9], filters=[5, 4], width=2, height=3),
    changed(width=65, height=33, depth=1, classes=1),
    changed(width=300, height=17, stages=[1, 1, 1, 1, 1], filters=[8, 12, 20, 28, 36, 44]),
    changed(stages=[200, 2], filters=[64, 1024, 4]),
    changed(width=3, height=3, stages=[2, 2], filters=[7, 8, 8], order="original"),
    changed(classes=100_000, filters=[1, 4, 4, 4]),
]
IMPOSSIBLE = [
    changed(width=0),
    changed(height=None),
    changed(depth=2.5),
    changed(classes=-1),
    changed(stages=[]),
    changed(filters=[]),
    changed(stages=[3, 0, 6]),
    changed(stages=[3, None, 6]),
    changed(filters=[64, 128, 2.5, 512]),
    changed(filters=[64, 128, 256]),
    changed(stages=[3], filters=[64]),
    changed(filters=[64, 128, 130, 512]),
    changed(width=4),
    changed(height=4),
    changed(width=16, stages=[1, 1, 1, 1, 1], filters=[4, 4, 4, 4, 4, 4]),
    changed(order="postactivation"),
    changed(width=0, stages=[], order="none"),  # the first rule that is broken is named
]


def networks():
    """What both sides say of the networks."""
    built = []
    for network in NETWORKS:
        made = ArchitectureBuilder(**network)
        parts = made.parts()
        said = {"parts": [vars(part) for part in parts], "call": made.call()}
        said["view"] = view(network)
        built.append({"network": network, **said, "summary": builder._summary(parts)})
    refused = [{"network": one, "message": refusal(one), "view": view(one)} for one in IMPOSSIBLE]
    return {"rules": rules.RULES, "built": built, "refused": refused}


def view(network):
    """The line of Python that the page copies; test_builder_traits.py runs it."""
    order, *others = reversed(network.items())
    given = [f"{name}={value!r}" for name, value in reversed(others)] + [f'order="{order[1]}"']
    return f"ArchitectureBuilder({', '.join(given)})"


def refusal(network):
    lists = {name: tuple(network[name]) for name in ("stages", "filters")}
    with pytest.raises(ValueError, match="must") as refused:
        cost.parts(**network | lists)
    return str(refused.value)


def settings():
    """Of each kind of word that a label or a sentence may have."""
    for question in explorer.questions():
        yield question["setting"]
    for quantity in ("weight_gradient", "signal"):
        yield explorer.FIRST | {"quantity": quantity, "depth": 200}
    relu = {"activation": "relu", "initializer": "he", "depth": 30}
    for kind in grid.load()["choices"]["kind"]:
        yield explorer.FIRST | relu | {"kind": kind, "order": "original", "normalization": True}
    yield explorer.FIRST | {"depth": 1}


def curves():
    """What both sides say of recorded curves."""
    found = []
    for setting in settings():
        recorded = grid.look_up(setting, setting["depth"], setting["quantity"])
        assert recorded is not None
        curve, described = recorded
        found.append(
            {
                "setting": setting,
                "label": explorer._label(setting),
                "curve_label": explorer._curve_label(setting),
                "values": curve["values"],
                "sentence": explorer.trends.sentence(described, setting["quantity"]),
            }
        )
    words = explorer.GradientExplorer().words
    return {"words": words, "curves": found, "described": list(descriptions())}


def descriptions():
    """Norms of many shapes, as logarithms, and what is said of them."""
    draw, layers = np.random.default_rng(0), np.arange(1, 51)
    shapes = [np.linspace(0, slope, 50) for slope in (-40, -3, -0.5, 0.01, 0.8, 2, 4, 30)]
    shapes += [power * np.log10(layers) for power in (-3, 0.4, 2)]
    shapes += [draw.normal(0, spread, 50).cumsum() for spread in (0.01, 0.1, 1, 1, 3)]
    shapes += [draw.normal(0, 0.2, 50), np.array([-1.5]), np.array([0.0, -4.2])]
    odd = np.linspace(5, -35, 50)
    every = [10.0**shape for shape in shapes]
    every += [np.where(odd > limit, 10.0**odd, 0) for limit in (-20, 4.9, 6)]
    every += [np.where(odd < 0, 10.0**odd, bad) for bad in (np.inf, np.nan)]
    for norms, quantity in itertools.product(every, explorer.trends.SEEN):
        logarithms = [grid.logarithm(norm) for norm in norms]
        said = explorer.trends.describe(norms, quantity)
        yield {"logarithms": logarithms, "quantity": quantity, "described": said}


CODE = "G4K2S-BAB5D"
# A line, and whether its one code is found.
LINES = [
    (CODE, True),
    ("", True),
    (" g4k2s bab5d\r", True),
    ("g4k2sbab5d", True),
    ("G4K2S\u00a0\u2013\u00a0BAB5D", True),
    (f'"{CODE}"\tGunda Lil', True),
    (f"Gunda\t{CODE}", True),
    (f"Gunda {CODE}", True),  # the name and half of the code have ten letters
    (f"2026-11-29 10:22:01;Zoë-Gwendoline Li;'{CODE}'", True),
    ("Name,Code", False),
    (CODE[:-1], False),
    (CODE + "7", False),
    ("6" + CODE[1:], False),
    (f"Anna\t{CODE[:-2]}D5", False),
    (CODE.replace("S", "U"), False),
    ("GZZZZ-ZZZZZ", False),  # whose check holds, beyond the last guess
    (f"{CODE}, {CODE}", False),
]


def drawn_guesses():
    """Some of all sorts, and those at the ends of every range."""
    draw, grid_of = random.Random(0), grid.load()
    offered = grid_of["choices"] | {"depth": range(1, grid_of["most"] + 1)}
    values = {name: offered.get(name, (False, True)) for name in guesses.GUESSED}
    for at in (0, -1):
        setting = {name: every[at] for name, every in values.items()}
        yield {"setting": setting, "end": (-45, 45)[at], "bend": (45, -45)[at]}
    while True:
        setting = {name: draw.choice(every) for name, every in values.items()}
        yield {"setting": setting, "end": draw.uniform(-45, 45), "bend": draw.uniform(-9, 9)}


def codes():
    """Guesses and their codes; then lines, and what is said of those without a code."""
    made = itertools.islice(drawn_guesses(), 40)
    with pytest.raises(ValueError, match="must hold") as refused:
        guess_code.read([line for line, _ in LINES])
    start, message = "codes must hold one code a line. ", str(refused.value)
    return {
        "guesses": [{"guess": guess, "code": guess_code.encode(guess)} for guess in made],
        "lines": [{"line": line, "found": found} for line, found in LINES],
        "refused": message.removeprefix(start),
    }


FILES = {"networks.json": networks, "curves.json": curves, "guess_codes.json": codes}


@pytest.mark.parametrize("name", FILES)
def test_what_both_sides_say_is_what_python_says(name):
    said = json.loads(json.dumps(FILES[name]()))
    again = "run python tests/widgets/test_shared.py"
    assert json.loads((HERE / name).read_text(encoding="utf-8")) == said, again


if __name__ == "__main__":
    for name, say in FILES.items():
        lines = json.dumps(say(), indent=1)
        (HERE / name).write_text(lines + "\n", encoding="utf-8")
