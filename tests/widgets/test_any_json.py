"""Whatever JSON a front end sends, a trait takes it or refuses it in one sentence."""

import contextlib
import json

import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_lesson import ArchitectureBuilder, GradientExplorer, LesionExplorer, TrainingPanel

MODULES = LesionExplorer().modules
BUILDER = ("width", "height", "depth", "classes", "stages", "filters", "order", "picked")
WORDS = st.one_of(st.text(max_size=5), st.sampled_from([*MODULES, "stage2", "original", "\ud800"]))
PLAIN = st.one_of(st.none(), st.booleans(), st.integers(), st.integers(0, 99), st.floats(), WORDS)
VALUES = st.recursive(
    PLAIN,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=2),
    max_leaves=6,
)
FUZZED = [
    (ArchitectureBuilder, [*BUILDER, "hide", "_esm", "layout"]),
    (LesionExplorer, ["deleted", "tried", "modules", "images", "counts"]),
]


@pytest.mark.parametrize(("make", "names"), FUZZED)
def test_a_trait_takes_what_is_sent_or_says_in_a_sentence_why_not(make, names):
    widget = make()
    answers = set()

    @settings(derandomize=True, max_examples=300, deadline=None, database=None)
    @given(state=st.dictionaries(st.sampled_from(names), VALUES, min_size=1, max_size=2))
    def send(state):
        before = widget.get_state()
        try:
            widget.set_state(state)
        except traitlets.TraitError as refused:
            sentence = str(refused)
            sentence.encode()  # can be shown and sent
            assert "\n" not in sentence
            assert widget.get_state() == before
            answers.add("refused")
            return
        after = widget.get_state()
        json.dumps(after, allow_nan=False).encode()
        widget.set_state(json.loads(json.dumps(after)))
        assert widget.get_state() == after
        widget._fallback()
        answers.add("taken")

    send()
    assert answers == {"refused", "taken"}


@pytest.mark.parametrize("make", [ArchitectureBuilder, LesionExplorer])
def test_the_state_of_another_version_is_taken_as_far_as_it_is_known(make):
    widget = make()
    state = widget.get_state() | {"colour": "red", "version": 3}
    for name in ("picked", "hide", "tried", "order"):
        with contextlib.suppress(KeyError):
            del state[name]
    before = widget.get_state()
    widget.set_state(json.loads(json.dumps(state)))
    assert widget.get_state() == before


@pytest.mark.parametrize(
    ("make", "known"),
    [
        (
            ArchitectureBuilder,
            "width, height, depth, classes, stages, filters, order, picked, hide",
        ),
        (LesionExplorer, "record, deleted, tried"),
        (GradientExplorer, "compare, .*depth, .*, hide"),
        (TrainingPanel.replay, "makers, .*, quantity, zoom"),
    ],
)
def test_a_name_that_is_no_traits_is_refused_with_those_that_are(make, known):
    rule = rf"an argument of \w+ must be one of {known}, received 'widht'"
    with pytest.raises(TypeError, match=rule):
        make(widht=3)
