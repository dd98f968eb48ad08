"""A small grid of precomputed curves, for where the engine is missing or not loaded yet.

``make grid`` makes ``grid.json`` again from the engine.
"""

import base64
import functools
import itertools
import json
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ...gradients import trends
from ...untrusted import OBJECT, read_json
from ..frontend import write_json

FILE = Path(__file__).parent / "grid.json"
DEPTHS = (1, 2, 5, 10, 20, 30, 40, 50, 75, 100, 150, 200)
LAYERS = 10  # kept of each curve, at most
STEPS = 500  # codes in a decade
# Codes are 16 bits: 65 decades either way, and beyond them the norms without a logarithm.
CODES = {"zero": -32768, "infinite": 32767, "undefined": 32766}
SETTING = ("kind", "order", "activation", "initializer", "normalization", "shortcut")


def logarithm(norm: float) -> float | str:
    """The decimal logarithm, or the word for a norm that has none."""
    if np.isnan(norm):
        return "undefined"
    if np.isinf(norm):
        return "infinite"
    return float(np.log10(norm)) if norm > 0 else "zero"


def norm(value: float | str) -> float:
    """The inverse of ``logarithm``."""
    words = {"zero": 0.0, "infinite": np.inf, "undefined": np.nan}
    return words[value] if isinstance(value, str) else 10.0**value


def kept_layers(depth: int) -> np.ndarray:
    """At most LAYERS of 1..depth, evenly spread, with both ends."""
    return np.unique(np.linspace(1, depth, min(depth, LAYERS)).round().astype(int))


@functools.cache
def load() -> dict[str, Any]:
    """The grid: a dict that JSON can hold."""
    return read_json(FILE, OBJECT, "the explorer's recorded curves", "install the package again")


@functools.cache
def recorded_kinds() -> dict[str, Any]:
    """The part of the grid that the browser needs: it computes dense layers itself."""
    grid = load()
    settings = grid["settings"]
    first = sum(key.startswith("dense,") for key in settings)  # they stand first
    skipped = first * len(grid["depths"]) * len(trends.SEEN)
    described = grid["described"][skipped:]
    kept = sorted(set(described))
    return grid | {
        "settings": settings[first:],
        "codes": base64.b64encode(_codes()[skipped * LAYERS :].tobytes()).decode(),
        "descriptions": [grid["descriptions"][which] for which in kept],
        "described": [kept.index(which) for which in described],
    }


def look_up(
    setting: Mapping[str, Any], depth: int, quantity: str
) -> tuple[dict[str, Any], dict[str, Any]] | None:
    """The recorded curve and its description, or None where nothing is recorded.

    Args:
        setting: the traits named in SETTING, and perhaps others.
    """
    grid = load()
    settings, depths = grid["settings"], grid["depths"]
    key = _key(setting)
    if key not in settings or depth not in depths:
        return None
    # Curves lie in the order of settings, depths and quantities, the last changing fastest.
    index = settings.index(key) * len(depths) + depths.index(depth)
    index = index * len(trends.SEEN) + list(trends.SEEN).index(quantity)
    layers = kept_layers(depth).tolist()
    codes = _codes()[index * LAYERS :][: len(layers)]
    words = {code: word for word, code in CODES.items()}
    values = [words.get(code, code / STEPS) for code in codes.tolist()]
    return {"layers": layers, "values": values}, grid["descriptions"][grid["described"][index]]


@functools.cache
def _codes() -> np.ndarray:
    return np.frombuffer(base64.b64decode(load()["codes"]), "<i2")


def _key(setting: Mapping[str, Any]) -> str:
    return ",".join(str(setting[name]).lower() for name in SETTING)


def settings(choices: Mapping[str, Sequence[str]]) -> list[dict[str, Any]]:
    """The settings that are recorded, each a dict; ``choices`` lists the names of all options."""
    default = {"kind": "dense", "order": "full_preactivation"}
    flags = [
        {"normalization": normalization, "shortcut": shortcut}
        for normalization, shortcut in itertools.product((False, True), repeat=2)
    ]
    pairs = itertools.product(choices["activation"], choices["initializer"])
    options = [default | {"activation": pair[0], "initializer": pair[1]} for pair in pairs]
    options += [
        {"kind": kind, "order": order, "activation": "relu", "initializer": "he"}
        for kind, order in itertools.product(choices["kind"], choices["order"])
    ]
    found = [option | flag for option in options for flag in flags]
    found.sort(key=lambda setting: setting["kind"] != default["kind"])
    return list({_key(setting): setting for setting in found}.values())


def make() -> dict[str, Any]:
    """Compute the grid with the engine."""
    from ...gradients import stacks
    from ...networks.orders import ORDERS

    choices = {
        "kind": list(stacks.KINDS),
        "order": list(ORDERS),
        "activation": list(stacks.ACTIVATIONS),
        "initializer": list(stacks.INITIALIZERS),
        "quantity": list(trends.SEEN),
    }
    recorded = settings(choices)
    codes: list[list[int]] = []
    descriptions: dict[str, int] = {}
    described: list[int] = []
    for setting, depth in itertools.product(recorded, DEPTHS):
        result = stacks.stack_gradients(depth, **setting)
        for quantity in trends.SEEN:
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


def _encode(norms: np.ndarray) -> list[int]:
    """LAYERS codes of a curve; a shorter one is padded with zeros."""
    values = [logarithm(norms[layer - 1]) for layer in kept_layers(len(norms))]
    codes = [CODES[value] if isinstance(value, str) else round(value * STEPS) for value in values]
    return codes + [0] * (LAYERS - len(codes))


def write(output: str | os.PathLike[str] | None = None) -> str | os.PathLike[str]:
    """Compute the grid into a file, the package's own if no other is given, and return its path."""
    return write_json(FILE if output is None else output, make)
