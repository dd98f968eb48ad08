"""A small grid of curves computed beforehand, for where the engine is not, or not yet.

``make grid`` makes ``grid.json`` again from the engine.
"""

import base64
import functools
import itertools
import json
import os
from pathlib import Path

import numpy as np

from ...files import atomic_write
from ...gradients import trends

FILE = Path(__file__).parent / "grid.json"
DEPTHS = (1, 2, 5, 10, 20, 30, 40, 50, 75, 100, 150, 200)
LAYERS = 10  # of a curve that are kept
STEPS = 500  # a decade
# Logarithms reach 65 decades either way; what has none takes the numbers beyond.
CODES = {"zero": -32768, "infinite": 32767, "undefined": 32766}
SETTING = ("kind", "order", "activation", "initializer", "normalization", "shortcut")


def logarithm(norm):
    """The decimal logarithm, or the word for a norm that has none."""
    if np.isnan(norm):
        return "undefined"
    if np.isinf(norm):
        return "infinite"
    return float(np.log10(norm)) if norm > 0 else "zero"


def norm(value):
    """The norm of which ``logarithm`` gave this value."""
    words = {"zero": 0.0, "infinite": np.inf, "undefined": np.nan}
    return words[value] if isinstance(value, str) else 10.0**value


def kept_layers(depth):
    """At most LAYERS of 1..depth, evenly spread, both ends among them."""
    return np.unique(np.linspace(1, depth, min(depth, LAYERS)).round().astype(int))


@functools.cache
def load():
    """The grid as it is sent to the browser: a dict that JSON can hold."""
    return json.loads(FILE.read_text(encoding="utf-8"))


def look_up(setting, depth, quantity):
    """The recorded curve and its description, or None where there is none.

    Args:
        setting: dict of the traits named in SETTING.
    """
    grid = load()
    key = _key(setting)
    if key not in _places() or depth not in grid["depths"]:
        return None
    before = _places()[key] * len(grid["depths"]) + grid["depths"].index(depth)
    index = before * len(trends.SUBJECTS) + list(trends.SUBJECTS).index(quantity)
    layers = [int(layer) for layer in kept_layers(depth)]
    start = index * LAYERS
    values = _codes()[start : start + len(layers)]
    words = {code: word for word, code in CODES.items()}
    values = [words.get(int(code), int(code) / STEPS) for code in values]
    return {"layers": layers, "values": values}, grid["descriptions"][grid["described"][index]]


@functools.cache
def _places():
    return {key: place for place, key in enumerate(load()["settings"])}


@functools.cache
def _codes():
    return np.frombuffer(base64.b64decode(load()["codes"]), "<i2")


def _key(setting):
    return ",".join(str(setting[name]).lower() for name in SETTING)


def settings(choices):
    """The settings that are recorded, each a dict; ``choices`` lists the names of all options."""
    default = {"kind": "dense", "order": "full_preactivation"}
    flags = [
        {"normalization": normalization, "shortcut": shortcut}
        for normalization, shortcut in itertools.product((False, True), repeat=2)
    ]
    starts = itertools.product(choices["activation"], choices["initializer"])
    found = [default | {"activation": act, "initializer": start} for act, start in starts]
    found += [
        {"kind": kind, "order": order, "activation": "relu", "initializer": "he"}
        for kind, order in itertools.product(choices["kind"], choices["order"])
    ]
    found = [one | flag for one in found for flag in flags]
    return list({_key(one): one for one in found}.values())


def make():
    """Compute the grid with the engine."""
    from ...gradients import stacks
    from ...networks.orders import ORDERS

    choices = {
        "kind": list(stacks.KINDS),
        "order": list(ORDERS),
        "activation": list(stacks.ACTIVATIONS),
        "initializer": list(stacks.INITIALIZERS),
        "quantity": list(trends.SUBJECTS),
    }
    recorded, codes, descriptions, described = settings(choices), [], {}, []
    for setting, depth in itertools.product(recorded, DEPTHS):
        result = stacks.stack_gradients(depth, **setting)
        for quantity in trends.SUBJECTS:
            norms = getattr(result, quantity)
            codes.append(_encode(norms))
            words = json.dumps(trends.describe(norms, quantity))
            described.append(descriptions.setdefault(words, len(descriptions)))
    return {
        "choices": choices,
        "depths": list(DEPTHS),
        "most": stacks.MAX_DEPTH,
        "layers": LAYERS,
        "steps": STEPS,
        "words": CODES,
        "settings": [_key(setting) for setting in recorded],
        "codes": base64.b64encode(np.array(codes, "<i2").tobytes()).decode(),
        "descriptions": [json.loads(words) for words in descriptions],
        "described": described,
    }


def _encode(norms):
    """LAYERS codes of a curve, zeros after its own."""
    values = [logarithm(norms[layer - 1]) for layer in kept_layers(len(norms))]
    codes = [CODES[v] if isinstance(v, str) else round(v * STEPS) for v in values]
    return codes + [0] * (LAYERS - len(codes))


def write(output: str | os.PathLike[str] | None = None) -> str | os.PathLike[str]:
    """Compute the grid into a file, the package's own if no other is given, and return its path."""
    path = FILE if output is None else output
    with atomic_write(path) as partial:  # which fails at once where nothing can be written
        partial.write_text(json.dumps(make(), separators=(",", ":")) + "\n", encoding="utf-8")
    return path
