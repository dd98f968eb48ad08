"""The lesion explorer's traits: names of modules are taken, and nothing else."""

import json

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
