"""The builder's traits: what JSON brings is taken, what no field can hold is refused."""

import json
from math import inf, nan
from pathlib import Path

import numpy as np
import pytest
import traitlets

from resnet_lesson import ArchitectureBuilder
from resnet_lesson.widgets.builder import widget as module

SHARED = json.loads(Path(__file__).with_name("networks.json").read_text(encoding="utf-8"))
NUMBER = "must be a number from -1000000 to 1000000, or None, received"
REFUSED = [
    *((name, value, NUMBER) for name in ("width", "classes") for value in (nan, inf, -inf)),
    *(("depth", value, NUMBER) for value in ([3], "3", True, {}, 10**400, 1_000_001)),
    *(("stages", [3, value], r"stages\[1\] " + NUMBER) for value in (nan, [1], "1", False)),
    ("filters", [64, 1e7], r"filters\[1\] " + NUMBER),
    *(("stages", value, "a list of at most 20 numbers") for value in (3, "34", None, [1] * 21)),
    ("filters", [4] * 22, "a list of at most 21 numbers"),
    *(("order", value, "order") for value in ("none", ["original"], None, "\ud800", 1)),
    *(("picked", value, "picked") for value in ("stage21", ["stage1"], None, "\udfff", 2)),
]


@pytest.mark.parametrize(("name", "value", "words"), REFUSED)
def test_what_no_field_can_hold_is_refused_and_changes_nothing(name, value, words):
    builder = ArchitectureBuilder(width=32)
    before = builder.get_state()
    for bring in (
        lambda: setattr(builder, name, value),
        lambda: builder.set_state({"height": 20, name: value, "stages": [1]} | {name: value}),
    ):
        with pytest.raises(traitlets.TraitError, match=words) as refused:
            bring()
        str(refused.value).encode()  # can be shown and sent
        assert builder.get_state() == before


@pytest.mark.parametrize("network", [one["network"] for one in SHARED["built"] + SHARED["refused"]])
def test_what_fields_hold_is_taken_possible_or_not(network):
    if network["order"] not in module.orders.ORDERS:
        with pytest.raises(traitlets.TraitError, match="order"):
            ArchitectureBuilder(**network)
        return
    builder = ArchitectureBuilder()
    builder.set_state(json.loads(json.dumps(network)))
    assert {name: builder.get_state()[name] for name in network} == network


def test_a_whole_number_is_one_however_it_comes():
    builder = ArchitectureBuilder(width=32.0, stages=(2.0,), filters=[np.int64(16), 32.0])
    assert builder.call() == "ResNet.build(32, 64, 3, 200, (2,), (16, 32))"
    assert len(builder.parts()) == 4


def test_its_state_is_taken_back_as_it_is():
    builder = ArchitectureBuilder(stages=[2, 2], filters=[16, 32, 64], hide=("order",))
    state = builder.get_state()
    builder.set_state(json.loads(json.dumps(state)))
    assert builder.get_state() == state


def test_a_front_end_cannot_set_what_is_the_kernels():
    builder = ArchitectureBuilder(hide=["order"])
    builder.set_state({"hide": [], "_esm": "", "_css": "", "width": 32})
    assert (builder.hide, builder.width) == (("order",), 32)
    assert builder._esm


def test_controls_are_hidden_by_name():
    assert ArchitectureBuilder(hide=("order", "classes")).hide == ("order", "classes")
    rule = "hide must be a list or tuple of names of width, .*, order, received"
    for wrong in ("order", ("ordr",), [["order"]], None, ("\ud800",)):
        with pytest.raises(traitlets.TraitError, match=rule):
            ArchitectureBuilder(hide=wrong)


@pytest.mark.parametrize("one", SHARED["built"] + SHARED["refused"], ids=lambda one: one["view"])
def test_the_line_that_is_copied_makes_the_view_again(one):
    if one["network"]["order"] not in module.orders.ORDERS:
        return
    made = eval(one["view"], {"ArchitectureBuilder": ArchitectureBuilder})
    assert {name: made.get_state()[name] for name in one["network"]} == one["network"]


def test_two_builders_share_no_list():
    ArchitectureBuilder().stages.append(7)
    assert ArchitectureBuilder().stages == [3, 4, 6]
