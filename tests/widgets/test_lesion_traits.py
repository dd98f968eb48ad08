"""The lesion explorer's traits: names of modules are taken, and nothing else."""

import json
from math import nan

import pytest
import traitlets

from resnet_lesson import LesionExplorer

MODULES = LesionExplorer().modules
REFUSED = [3, None, [3], [None], [["stage1_unit1"]], ["stage9_unit1"], ["\ud800"]]


@pytest.mark.parametrize("name", ["deleted", "tried"])
@pytest.mark.parametrize("value", REFUSED)
def test_what_names_no_module_is_refused_and_changes_nothing(name, value):
    explorer = LesionExplorer(deleted=MODULES[:1], tried=MODULES[:2])
    before = explorer.get_state()
    for bring in (
        lambda: setattr(explorer, name, value),
        lambda: explorer.set_state({"deleted": MODULES[3:5], "tried": []} | {name: value}),
    ):
        with pytest.raises(traitlets.TraitError, match=name) as refused:
            bring()
        str(refused.value).encode()  # can be shown and sent
        assert explorer.get_state() == before


def test_its_state_is_taken_back_as_it_is():
    explorer = LesionExplorer(deleted=MODULES[2:4], tried=MODULES)
    state = explorer.get_state()
    explorer.set_state(json.loads(json.dumps(state)))
    assert explorer.get_state() == state


def test_a_front_end_cannot_set_what_was_measured():
    explorer = LesionExplorer()
    known = {name: getattr(explorer, name) for name in ("modules", "class_names", "images")}
    forged = {"modules": [], "class_names": ["cat"], "images": [1], "counts": "[]", "_esm": ""}
    explorer.set_state(forged | {"deleted": MODULES[:1]})
    assert {name: getattr(explorer, name) for name in known} == known
    assert (len(explorer.counts), explorer.deleted) == (512, MODULES[:1])
    assert explorer._esm


def test_a_module_is_deleted_once():
    explorer = LesionExplorer(deleted=[MODULES[2], MODULES[2]])
    assert explorer.deleted == [MODULES[2]]
    explorer.set_state({"tried": [MODULES[1], MODULES[0], MODULES[1]]})
    assert explorer.tried == [MODULES[1], MODULES[0]]


def test_what_was_measured_does_not_change_afterwards():
    explorer = LesionExplorer()
    others = {"modules": [], "class_names": ["cat"], "images": [nan], "counts": []}
    for name, value in others.items():
        before = getattr(explorer, name)
        with pytest.raises(traitlets.TraitError, match=name):
            setattr(explorer, name, value)
        assert getattr(explorer, name) == before
        with pytest.raises(traitlets.TraitError, match=f"{name} must come from the record"):
            LesionExplorer(**{name: value})


def small():
    """The record of a network of one module and two classes."""
    counts = {"right": [3, 0], "answers": [4, 1]}
    return {
        "modules": ["stage1_unit1"],
        "class_names": ["cat", "ship"],
        "images": [3, 2],
        "without": [{"deleted": "1"} | counts, {"deleted": "0"} | counts | {"right": [3, 2]}],
    }


def test_a_record_is_taken_with_its_sets_in_any_order():
    explorer = LesionExplorer(small())
    assert (explorer.accuracy(), explorer.accuracy("stage1_unit1")) == (1.0, 0.6)
    assert explorer._repr_mimebundle_()[0]["image/png"]


KEPT, GONE = {"deleted": "0", "right": [3, 2], "answers": [3, 2]}, small()["without"][0]
NAMES, SETS = "must be a list of different names", "must be dicts, one for each set of"
BROKEN = [
    *((value, "record must be a dict with modules, .*, without") for value in ({}, [], 3, "a")),
    ({"modules": []}, rf"record\['modules'\] {NAMES}, received \[\]"),
    *(({"modules": value}, f"modules.* {NAMES}") for value in (["a", "a"], "ab", [["a"]], None)),
    *(({"class_names": value}, f"class_names.* {NAMES}") for value in (["a", 3], ["a", "\ud800"])),
    ({"class_names": ["cat"]}, "images.* must be 1 whole numbers"),
    *(({"images": value}, "images.* must be 2") for value in ([0, 0], [3, nan], [3, -1], 5, None)),
    ({"modules": ["a", "b"]}, f"without.* {SETS} 2 modules"),
    ({"modules": [f"m{at}" for at in range(60)]}, f"{SETS} 60 modules"),
    *(({"without": rows}, f"{SETS} 1 ") for rows in (None, {}, [GONE], [GONE, GONE], [1, 2])),
    *(
        ({"without": [GONE, KEPT | {name: value}]}, f"{name} without 0 must be 2 whole numbers")
        for name in ("right", "answers")
        for value in ([6, 2], [True, 2], [nan, 2], [[3], 2], [3], None)
    ),
]


@pytest.mark.parametrize(("change", "words"), BROKEN)
def test_a_record_that_is_none_is_refused_in_a_sentence(change, words):
    record = small() | change if isinstance(change, dict) and change else change
    with pytest.raises(ValueError, match=words) as refused:
        LesionExplorer(record)
    sentence = str(refused.value)
    sentence.encode()
    assert len(sentence) < 300


def test_the_stored_picture_gives_no_answer_away(monkeypatch):
    drawn = []
    monkeypatch.setattr("resnet_lesson.plots.lesions", lambda *given: drawn.append(given))
    monkeypatch.setattr("resnet_lesson.plots.png", lambda ax: b"")
    LesionExplorer()._repr_mimebundle_()
    whole = LesionExplorer().accuracy()
    assert drawn == [(MODULES, [], whole, whole)]
