"""The explorer's traits: what goes in, what follows."""

import base64
import itertools
import json
import subprocess
import sys
import threading
from typing import Any

import numpy as np
import pytest
import traitlets
from hypothesis import given, settings
from hypothesis import strategies as st

from resnet_lesson import GradientExplorer, stack_gradients
from resnet_lesson.gradients import trends
from resnet_lesson.output import without_surrogates
from resnet_lesson.widgets.explorer import grid, guesses
from resnet_lesson.widgets.explorer import widget as module

pytestmark = pytest.mark.slow

CHANGES = {
    "depth": 7,
    "activation": "tanh",
    "initializer": "orthogonal",
    "normalization": True,
    "shortcut": True,
    "order": "original",
    "kind": "convolution",
    "quantity": "signal",
    "seed": 3,
}


def measured(explorer):
    """The explorer with the engine loaded, whatever ran before."""
    module.GradientExplorer._engine = sys.modules["resnet_lesson.gradients.stacks"]
    return explorer


def test_curve_is_the_engines_and_follows_each_trait():
    stack_gradients(1)
    explorer = measured(GradientExplorer(depth=5))
    for trait, value in CHANGES.items():
        setattr(explorer, trait, value)
        setting = {name: getattr(explorer, name) for name in (*grid.SETTING, "seed")}
        result = stack_gradients(explorer.depth, **setting)
        norms = getattr(result, explorer.quantity)
        np.testing.assert_allclose(explorer.curve["values"], np.log10(norms))
        assert explorer.curve["layers"] == list(range(1, explorer.depth + 1))
        described = trends.describe(norms, explorer.quantity)
        assert explorer.status.endswith(trends.sentence(described, explorer.quantity))


def test_the_first_picture_needs_no_tensorflow():
    code = """
import sys
from resnet_lesson import GradientExplorer
explorer = GradientExplorer()
assert len(explorer.curve["layers"]) == 10
assert "hands on" in explorer.status
assert "tensorflow" not in sys.modules and "matplotlib" not in sys.modules
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_exact_zeros_are_said():
    explorer = GradientExplorer(depth=200)
    assert explorer.curve["values"][0] == "zero"
    assert "exactly zero" in explorer.status


@pytest.mark.parametrize(
    "setting",
    [{"depth": 0}, {"depth": 201}, {"activation": "cube"}, {"order": "random"}, {"seed": -1}]
    + [{name: value} for name in ("depth", "seed") for value in (True, False, 1.5, "7", None)],
)
def test_bad_settings_are_refused_and_change_nothing(setting):
    with pytest.raises(traitlets.TraitError, match=str(next(iter(setting.values())))):
        GradientExplorer(**setting)
    explorer = GradientExplorer()
    before = (explorer.curve, explorer.status, explorer.answers)
    with pytest.raises(traitlets.TraitError):
        explorer.set_trait(*next(iter(setting.items())))
    assert (explorer.curve, explorer.status, explorer.answers) == before


SETTINGS = st.one_of(
    *[st.tuples(st.just(name), st.sampled_from(module.CHOICES[name])) for name in module.CHOICES],
    *[st.tuples(st.just(name), st.booleans()) for name in ("normalization", "shortcut")],
    # Shallow, so that hundreds of networks take seconds; the tests of the engine go deep.
    st.tuples(st.just("depth"), st.integers(1, 8)),
    st.tuples(st.just("seed"), st.integers(0, 3)),
    st.tuples(st.just("guessing"), st.booleans()),
)


@settings(derandomize=True, deadline=None, max_examples=15)
@given(changes=st.lists(SETTINGS, min_size=20, max_size=20))
def test_random_changes_in_sequence_leave_it_in_order(changes):
    explorer = GradientExplorer(depth=3)
    for trait, value in changes:
        explorer.set_trait(trait, value)
        assert getattr(explorer, trait) == value
        assert explorer.curve["layers"][-1] == explorer.depth
        assert len(explorer.curve["values"]) == len(explorer.curve["layers"])
        assert explorer.label() in explorer.status


def test_each_question_changes_the_control_it_marks_and_stays_on_the_axis():
    found = module.questions()
    for one, next_one in itertools.pairwise(found):
        before, after = one["setting"], next_one["setting"]
        changed = [name for name in before if before[name] != after[name]]
        assert changed == [next_one["control"]]
    low, high = module.QUESTION_AXIS
    for question in found:
        values = GradientExplorer(**question["setting"]).curve["values"]
        assert low < min(values) <= max(values) < high
        assert question["question"].endswith("?")


def steps(question, quantity="signal_gradient"):
    """The factor of a layer on the way from the loss, mean over the stack, for five draws."""
    found = []
    for seed in range(5):
        setting = question["setting"] | {"seed": seed}
        norms = getattr(
            stack_gradients(**{k: v for k, v in setting.items() if k != "quantity"}), quantity
        )
        end, start = (norms[-1], norms[0]) if quantity == "signal" else (norms[0], norms[-1])
        found.append((end / start) ** (1 / (len(norms) - 1)))
    return np.array(found)


def test_the_reasons_of_the_answers_are_true():
    sigmoid, relu, he, bn, shortcut, deeper, order, bare = module.questions()
    assert np.all(np.abs(steps(sigmoid) - 0.25) < 0.03)  # about a quarter
    assert np.all(np.abs(steps(relu) - 0.7) < 0.03)  # about seven tenths
    assert np.all(np.abs(steps(he) - 1) < 0.04)  # hands on about what it gets
    assert np.all(np.abs(steps(bn) - 1.2) < 0.04)  # grows by about a fifth
    assert np.all(np.abs(steps(bn, "signal") - 1) < 0.01)  # and the signal is level
    assert np.all(steps(shortcut) < 1.07)  # adds only a little
    assert np.all(steps(deeper) > 1)
    assert np.all(steps(deeper) < steps(shortcut))  # slows down
    assert np.all(steps(deeper) ** 99 < 2.5 * steps(shortcut) ** 49)
    assert np.all(steps(order) > 1.1)  # its factor multiplies in every layer
    for quantity in ("signal_gradient", "signal"):
        assert np.all(np.abs(steps(bare, quantity) - 1.5) < 0.1)  # by about a half


def test_a_pinned_curve_stays():
    explorer = GradientExplorer(depth=5)
    explorer.pin()
    explorer.pin()  # and is kept once
    first = explorer.curve
    explorer.depth = 10
    assert first["label"] == "5 sigmoid layers, Glorot's weights"
    assert explorer.pins == [first]
    explorer.quantity = "weight_gradient"
    assert explorer.curve["label"] == "10 sigmoid layers, Glorot's weights, gradient of the weights"
    explorer.redraw()
    assert "draw 2" in explorer.status


def test_a_trait_set_by_another_thread_meanwhile_is_answered_next(monkeypatch):
    explorer, asked, seen = measured(GradientExplorer(depth=5)), threading.Event(), []
    other = threading.Thread(target=explorer.set_trait, args=("depth", 9))

    def slow(*depth, **setting):
        if not asked.is_set():
            asked.set()
            other.start()
            while explorer.depth != 9:  # it is set at once, and only then waits for its answer
                threading.Event().wait(0.01)
        return stack_gradients(*depth, **setting)

    monkeypatch.setattr(module.GradientExplorer._engine, "stack_gradients", slow)
    explorer.observe(lambda change: seen.append(change.new), "curve")
    explorer.activation = "tanh"
    other.join()
    assert [len(curve["values"]) for curve in seen] == [5, 9]
    for curve in seen:
        assert curve["layers"] == list(range(1, len(curve["values"]) + 1))
        assert curve["label"] == f"{len(curve['values'])} tanh layers, Glorot's weights"
    assert explorer.status.startswith("9 tanh layers")


def test_bundle_has_stable_words_and_a_picture():
    explorer = GradientExplorer()
    texts = set()
    for _ in range(2):
        bundle, _ = explorer._repr_mimebundle_()
        texts.add(bundle["text/plain"])
        stack_gradients(1)
        measured(explorer)._use_engine()
    assert len(texts) == 1
    assert texts.pop().startswith("GradientExplorer: 20 sigmoid layers, Glorot's weights. The")
    assert base64.b64decode(bundle["image/png"]).startswith(b"\x89PNG")
    assert "application/vnd.jupyter.widget-view+json" in bundle


GUESS: dict[str, Any] = {
    "setting": {name: getattr(GradientExplorer(), name) for name in guesses.GUESSED},
    "end": -4.5,
    "bend": 0.5,
}


@pytest.mark.parametrize(
    "wrong",
    [
        {"end": 1.0},
        GUESS | {"end": "deep"},
        GUESS | {"bend": float("nan")},
        GUESS | {"end": True},
        GUESS | {"more": 1},
        GUESS | {"setting": {"depth": 3}},
        *[GUESS | {"end": end} for end in (10**400, 1e308, -1001, np.inf, None)],
        *[
            GUESS | {"setting": GUESS["setting"] | {name: value}}
            for name in guesses.GUESSED
            for value in (None, 7.5, "cube", ["relu"], 0, 10**400)
        ],
    ],
)
def test_a_wrong_guess_is_refused_and_changes_nothing(wrong):
    explorer = GradientExplorer(guess=GUESS, guesses=[GUESS])
    with pytest.raises(traitlets.TraitError, match="a guess must hold the numbers end and bend"):
        explorer.guess = wrong
    with pytest.raises(traitlets.TraitError, match="a guess must hold"):
        explorer.guesses = [GUESS, wrong]
    assert explorer.guess == GUESS
    assert explorer.guesses == [GUESS]


@pytest.mark.parametrize(
    "wrong",
    [
        {"label": "no curve"},
        {"label": "x", "layers": [1, 2], "values": [0.0]},
        {"label": "x", "layers": [1], "values": ["nothing"]},
        {"layers": [1], "values": [0.0]},
        *[
            {"label": "x", "layers": [1], "values": [0.0], "setting": setting}
            for setting in ({"depth": 3}, {}, module.FIRST | {"depth": 201}, [], "x")
        ],
        {"label": "x", "layers": [1], "values": [0.0], "more": np.nan},
        {"label": "x", "layers": [1, 1], "values": [0.0, 0.0]},
        *[
            {"label": "x", "layers": [layer], "values": [value]}
            for layer, value in [
                *[(layer, 1.0) for layer in (10**400, "a", None, True, 1.0, 0, 201)],
                *[(1, value) for value in ([1], {}, np.nan, np.inf, True, None, 10**400, 151.0)],
            ]
        ],
    ],
)
def test_a_wrong_pin_is_refused(wrong):
    explorer = GradientExplorer()
    with pytest.raises(traitlets.TraitError, match="a pin must be a curve"):
        explorer.pins = [wrong]
    assert explorer.pins == []


def test_a_pin_is_taken_as_the_browser_sends_it():
    explorer = GradientExplorer()
    # JavaScript writes -13.0 as -13.
    pins = [{"label": "\ud800 $_{", "layers": [1, 2, 3, 4], "values": [-13, "zero", -150, 150.0]}]
    explorer.set_state({"pins": pins})
    assert explorer.pins == without_surrogates(pins)
    json.dumps(explorer.get_state(), ensure_ascii=False).encode("utf-8")
    assert "image/png" in explorer._repr_mimebundle_()[0]


def test_a_folder_of_guesses_is_opened(tmp_path):
    for name, end in (("one", -2.0), ("two", -8.0)):
        held = {"file": guesses.FILE, **GUESS, "end": end}
        (tmp_path / f"{name}.json").write_text(json.dumps(held), encoding="utf-8")
    explorer = GradientExplorer()
    explorer.open_guesses(tmp_path)
    assert [guess["end"] for guess in explorer.guesses] == [-2, -8]


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "{}", '{"file": "resnet-lesson guess"}', "[" * 100_000, "1" * 10_000]
)
def test_a_file_that_is_no_guess_is_named(tmp_path, text):
    (tmp_path / "good.json").write_text(
        json.dumps({"file": guesses.FILE, **GUESS}), encoding="utf-8"
    )
    (tmp_path / "other.json").write_text(text, encoding="utf-8")
    explorer = GradientExplorer()
    with pytest.raises(ValueError, match=r"other\.json is no saved guess"):
        explorer.open_guesses(tmp_path)
    assert explorer.guesses == []


def test_codes_of_a_class_are_opened_and_a_line_without_one_changes_nothing():
    explorer = GradientExplorer()
    explorer.open_guesses(codes="Anna\tG4K2S-BAB5D\n\nBea\tG4K2S-ERA7K\n")
    assert [guess["end"] for guess in explorer.guesses] == [-12.5, 0]
    explorer.open_guesses(codes=iter(["G4K2S-BAB5D"]))
    assert [guess["end"] for guess in explorer.guesses] == [-12.5]
    for codes, reason in (
        (["G4K2S-BAB5D", "G4K2S-BAB6D", None], r"Line 2 has a wrong .*\. Line 3 is no text: None"),
        ("\n", r"codes must hold one code a line\.$"),
    ):
        with pytest.raises(ValueError, match=reason):
            explorer.open_guesses(codes=codes)
    assert len(explorer.guesses) == 1


def test_a_folder_and_codes_are_told_apart():
    with pytest.raises(ValueError, match="codes in place of files are given as codes="):
        GradientExplorer().open_guesses("G4K2S-BAB5D")
    for arguments in ({}, {"folder": ".", "codes": "G4K2S-BAB5D"}):
        with pytest.raises(TypeError, match="one of the two"):
            GradientExplorer().open_guesses(**arguments)


def test_a_folder_without_guesses_is_named(tmp_path):
    with pytest.raises(ValueError, match="must hold saved guesses"):
        GradientExplorer().open_guesses(tmp_path / "nothing")


def test_state_goes_through_the_browser_and_back_unchanged():
    explorer = GradientExplorer(
        depth=7, compare=[{"depth": 3}], guess=GUESS, guesses=[GUESS], hide=["order"], question=2
    )
    state = explorer.get_state()
    explorer.set_state(json.loads(json.dumps(state)))
    assert explorer.get_state() == state


def test_a_curve_is_kept_once_whoever_computed_it():
    stack_gradients(1)
    explorer = GradientExplorer(activation="relu", compare=[{"depth": 9}, {"depth": 9}])
    explorer.pin()
    measured(explorer)._use_engine()
    explorer.pin()
    assert len(explorer.pins) == 2


def test_the_browser_cannot_set_what_only_the_kernel_knows():
    explorer = GradientExplorer()
    before = explorer.get_state()
    empty = {"curve": {}, "described": {}, "questions": [], "axis": [], "grid": "", "words": {}}
    explorer.set_state(empty | {"answers": -1, "hide": ["order"]})
    assert explorer.get_state() == before


def test_a_view_is_made_again_by_its_line():
    explorer = GradientExplorer(depth=50, compare=[{"depth": 20}, {"activation": "relu"}])
    assert [pin["setting"]["depth"] for pin in explorer.pins] == [20, 50]
    assert [pin["label"].split(",")[0] for pin in explorer.pins] == [
        "20 sigmoid layers",
        "50 ReLU layers",
    ]
    with pytest.raises(traitlets.TraitError):
        GradientExplorer(compare=[{"depth": 0}])
    with pytest.raises(traitlets.TraitError, match="the order"):
        GradientExplorer(hide=["the order"])
    for wrong in ({"depth": 3}, ["depth"], 3, [{"size": 3}], "depth"):
        with pytest.raises(
            traitlets.TraitError, match=r"compare must be a list of dicts.*received"
        ):
            GradientExplorer(compare=wrong)


@pytest.mark.parametrize("kind", ["dense", "basic"])
def test_orders_of_one_name_are_one_network(kind):
    setting = module.FIRST | {"kind": kind, "depth": 4, "activation": "tanh"}
    norms = {}
    for order in module.CHOICES["order"]:
        for normalization, shortcut in ((True, True), (True, False), (False, True)):
            one = setting | {"normalization": normalization, "shortcut": shortcut, "order": order}
            arguments = {name: value for name, value in one.items() if name != "quantity"}
            found = stack_gradients(**arguments).signal_gradient
            norms.setdefault(module._label(one), []).append(found)
    assert [len(same) for same in norms.values()].count(1) < len(norms)  # some are one
    for same in norms.values():
        np.testing.assert_allclose(same, same[:1] * len(same), rtol=1e-4)
    distinct = [tuple(np.round(np.log10(same[0]), 3)) for same in norms.values()]
    assert len(set(distinct)) == len(distinct)


def test_no_answer_is_shown_before_its_question():
    bundle, _ = GradientExplorer(guessing=True)._repr_mimebundle_()
    assert (
        bundle["text/plain"] == "GradientExplorer: a guess of 20 sigmoid layers, Glorot's weights."
    )
    other, _ = GradientExplorer(guessing=True, activation="relu")._repr_mimebundle_()
    assert bundle["image/png"] == other["image/png"]  # it has no curve
