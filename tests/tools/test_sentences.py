"""The sentences that a page computes anew say, until then, what the kernel's engine computes."""

import math
import re
from pathlib import Path
from urllib.parse import parse_qsl

import nbformat
import numpy as np
import pytest
from bs4 import BeautifulSoup

from resnet_lesson import stack_gradients
from resnet_lesson.widgets.explorer.widget import DEFAULTS

ROOT = Path(__file__).parents[2]
OPTIONS = ("activation", "initializer", "normalization", "shortcut")
UPPER = str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")


def sentences():
    """Each result with its depth, its network and its words."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        for cell in nbformat.read(path, 4).cells:
            if "computed" in cell.source and cell.cell_type == "markdown":
                soup = BeautifulSoup(cell.source, "html.parser")
                for sentence in soup.select(".computed"):
                    (number,) = sentence.select("[data-least]")
                    depth = int(number.get_text())
                    for result in sentence.select("[data-says]"):
                        yield path.stem, depth, dict(result.attrs), result.get_text()


FOUND = list(sentences())


def test_there_are_some_in_three_places_or_more():
    assert len({(name, depth) for name, depth, *_ in FOUND}) >= 4


@pytest.mark.parametrize(("name", "depth", "attributes", "words"), FOUND)
def test_the_written_result_is_the_engines(name, depth, attributes, words):
    given = dict(parse_qsl(attributes["data-network"]))
    flags = {name: given.get(name) == "true" for name in ("normalization", "shortcut")}
    options = {name: DEFAULTS[name] for name in OPTIONS} | given | flags
    norms = np.asarray(stack_gradients(depth, **options).signal_gradient)
    if attributes["data-says"] == "nothing":
        assert int(words) == (norms == 0).sum()
        return
    ratio = norms[0] / norms[-1]
    if power := re.match("10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+) (of|times)$", words):
        assert int(power[1].translate(UPPER)) == round(math.log10(ratio))
    else:
        number = re.fullmatch(r"([\d.]+) times", words)
        assert number, f"{words!r} is no result of sentences.js"
        assert float(number[1]) == float(f"{ratio:.2g}")
