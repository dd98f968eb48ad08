"""The curves computed beforehand are the engine's."""

import itertools

import numpy as np
import pytest

from resnet_lesson import stack_gradients
from resnet_lesson.gradients import stacks, trends
from resnet_lesson.networks.orders import ORDERS
from resnet_lesson.widgets.explorer import grid


def test_its_choices_are_the_engines():
    assert grid.load()["choices"] == {
        "kind": list(stacks.KINDS),
        "order": list(ORDERS),
        "activation": list(stacks.ACTIVATIONS),
        "initializer": list(stacks.INITIALIZERS),
        "quantity": list(trends.SEEN),
    }
    assert grid.load()["most"] == stacks.MAX_DEPTH


RECORDED = list(itertools.product(grid.settings(grid.load()["choices"]), grid.DEPTHS))


# Every 23rd: prime to the number of depths, so that all settings and all depths have a turn.
@pytest.mark.parametrize(("setting", "depth"), RECORDED[::23])
def test_its_curves_are_the_engines(setting, depth):
    result = stack_gradients(depth, **setting)
    # A deep plain stack with BN stretches rounding, which differs between machines.
    stretches = setting["normalization"] and not setting["shortcut"]
    for quantity in trends.SEEN:
        recorded = grid.look_up(setting, depth, quantity)
        assert recorded is not None
        curve, described = recorded
        assert described["depth"] == depth
        for layer, value in zip(curve["layers"], curve["values"], strict=True):
            norm = getattr(result, quantity)[layer - 1]
            if isinstance(value, float) and -30 < value < 30:
                assert np.log10(norm) == pytest.approx(value, abs=0.5 if stretches else 0.02)


def test_what_is_not_recorded_is_not_made_up():
    setting = RECORDED[0][0]
    assert grid.look_up(setting, 3, "signal") is None
    other = setting | {"kind": "basic", "activation": "tanh"}
    assert grid.look_up(other, 10, "signal") is None
