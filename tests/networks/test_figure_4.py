"""The five orders as data: figure 4 of He et al. 2016, as the first edition wrote it in letters."""

import pytest
from figure_4 import BASIC

from resnet_lesson.networks.orders import ORDERS, Order

PARTS = {"n": "BN", "r": "ReLU"}
# Before each convolution, after each but the last, after the last, after the addition.
LETTERS = {
    "original": ("", "nr", "n", "r"),
    "bn_after_addition": ("", "nr", "", "nr"),
    "relu_before_addition": ("", "nr", "nr", ""),
    "relu_only_preactivation": ("r", "n", "n", ""),
    "full_preactivation": ("nr", "", "", ""),
}


def spelt(letters):
    return tuple(PARTS[letter] for letter in letters)


def test_there_are_five():
    assert list(ORDERS) == list(LETTERS) == list(BASIC)


@pytest.mark.parametrize("name", LETTERS)
def test_an_order_is_that_of_the_first_edition(name):
    before, after, last, addition = LETTERS[name]
    # Between two convolutions stands what follows the one, then what precedes the other.
    assert ORDERS[name] == Order(*map(spelt, (before, after + before, last, addition)))
    assert ORDERS[name].after_stem == spelt(after)


@pytest.mark.parametrize("name", BASIC)
def test_an_order_is_read_as_the_figure_draws_it(name):
    before, between, after, after_addition = ORDERS[name]
    branch = [*before, "conv", *between, "conv", *after]
    drawn = [part.lower() for part in (*branch, "add", *after_addition)]
    assert drawn == BASIC[name].split()
    assert [drawn.count(part) for part in ("conv", "bn", "relu", "add")] == [2, 2, 2, 1]


def test_full_preactivation_has_both_before_each_convolution_and_nothing_behind():
    both = ("BN", "ReLU")
    assert ORDERS["full_preactivation"] == Order(both, both, after=(), after_addition=())
