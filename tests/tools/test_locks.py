"""What `make locks` wrote agrees with what is asked for, and with what is installed here."""

import importlib.metadata
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

pytestmark = pytest.mark.slow  # it asks for the versions of the pins, whichever the tests run with

ROOT = Path(__file__).parents[2]
LOCKS = ("requirements", "requirements-gpu", "requirements-dev")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def required(name):
    """The requirements in a file, without comments and hashes."""
    text = (ROOT / name).read_text(encoding="utf-8").replace("\\\n", "")
    lines = (re.sub(r"(#| --hash).*", "", line).strip() for line in text.splitlines())
    return [Requirement(line) for line in lines if line and not line.startswith("-c ")]


def locked(name):
    """The version of each package, by its name; one for each system where they differ."""
    found = {}
    for each in required(f"{name}.lock"):
        found.setdefault(canonicalize_name(each.name), []).append(each)
    return found


def version(requirement):
    (pin,) = requirement.specifier
    assert pin.operator == "=="
    return pin.version


@pytest.mark.parametrize("name", LOCKS)
def test_every_file_has_its_hash(name):
    text = (ROOT / f"{name}.lock").read_text(encoding="utf-8").replace("\\\n", "")
    pins = [line for line in text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(pins) > 30
    assert [line[:60] for line in pins if "--hash=sha256:" not in line] == []


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_what_is_asked_for(name):
    lock = locked(name)
    for wanted in required(f"{name}.txt"):
        for pin in lock[canonicalize_name(wanted.name)]:
            assert wanted.specifier.contains(version(pin)), f"{pin} in {name}.lock: make locks"


def test_locks_agree_among_themselves():
    lesson = locked("requirements")
    for other in ("requirements-gpu", "requirements-dev"):
        shared = locked(other)
        assert len(shared.keys() & lesson.keys()) > 30
        for name in shared.keys() & lesson.keys():
            found, ours = ({*map(version, pins)} for pins in (shared[name], lesson[name]))
            assert found == ours, f"{name} in {other}.lock: make locks"


def test_lock_lies_in_the_ranges():
    lesson, dev = locked("requirements"), locked("requirements-dev")
    extras = PROJECT["optional-dependencies"]
    for text, lock in [
        *((text, lesson) for text in PROJECT["dependencies"]),
        *((text, dev) for extra in extras.values() for text in extra),
    ]:
        wanted = Requirement(text)
        for pin in lock[canonicalize_name(wanted.name)]:
            assert wanted.specifier.contains(version(pin)), f"{pin} is not in the range {text}"


def test_extra_of_developers_is_what_is_pinned_for_the_project():
    named = {Requirement(text).name for text in PROJECT["optional-dependencies"]["dev"]}
    cluster = {Requirement(text).name for text in PROJECT["optional-dependencies"]["cluster"]}
    hub = {"regex", "sentencepiece", "tokenizers"}  # what KerasHub needs, which comes without
    assert named | cluster | hub == {each.name for each in required("requirements-dev.txt")}


@pytest.mark.parametrize("name", ["requirements", "requirements-dev"])
def test_environment_is_that_of_the_lock(name):
    for pins in locked(name).values():
        for pin in pins:
            if pin.marker is None or pin.marker.evaluate():
                found = importlib.metadata.version(pin.name)
                assert found == version(pin), f"{pin.name} {found} is installed: remove .venv"


def test_binder_takes_the_lock():
    ours = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    assert (ROOT / "binder/requirements.txt").read_text(encoding="utf-8") == ours
