"""The bundles that the package ships are those of its sources, and name what others wrote."""

import gzip
import json
import re
from pathlib import Path

import bundle
import pytest

from resnet_lesson.widgets import frontend

ROOT = Path(__file__).parents[2]
LICENSES = (ROOT / "resnet_lesson/LICENSES.md").read_text(encoding="utf-8")
SOURCES = [
    path
    for folder in (frontend.FOLDER, ROOT / "tests/javascript", ROOT / "tools")
    for kind in ("js", "css")
    for path in folder.rglob(f"*.{kind}")
    if path.stem != "bundle"
]


@pytest.fixture(scope="module")
def fresh(tmp_path_factory):
    """A folder of bundles made now, and what esbuild says of them."""
    folder = tmp_path_factory.mktemp("bundles")
    bundle.bundle(folder, f"--metafile={folder / 'meta.json'}")
    return folder, json.loads((folder / "meta.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", bundle.NAMES)
def test_bundles_are_current(fresh, name):
    for kind in ("js", "css"):
        made = fresh[0] / name / f"bundle.{kind}"
        shipped = frontend.FOLDER / name / f"bundle.{kind}"
        assert shipped.read_bytes() == made.read_bytes(), f"{shipped}: run `make bundles`"


@pytest.mark.parametrize("name", ["constants.json", "networks.json"])
def test_what_comes_from_python_is_current(name):
    shipped = (frontend.FOLDER / "chart" / name).read_text(encoding="utf-8")
    assert shipped == bundle.generated()[name], f"{name}: run `make bundles`"


@pytest.fixture(scope="module")
def parts():
    return bundle.engine()


@pytest.mark.slow
@pytest.mark.parametrize(
    "name", ["stack.wasm.gz", "race.wasm.gz", "digits.gz", "worker.txt", "race_worker.txt"]
)
def test_the_engine_is_that_of_its_sources(parts, name):
    shipped, made = (bundle.ENGINE / name).read_bytes(), parts[name]
    if name.endswith(".gz"):  # whose head differs between versions of Python
        shipped, made = gzip.decompress(shipped), gzip.decompress(made)
    assert shipped == made, f"{name}: run `make bundles`"


def strangers(inputs):
    """Packages that others wrote, of the inputs of a bundle."""
    found = (re.search(r"node_modules/((?:@[^/]+/)?[^/]+)/", path) for path in inputs)
    return {name[1] for name in found if name}


def test_what_others_wrote_is_named_with_its_licence(fresh):
    _, meta = fresh
    assert "resnet_lesson/widgets/chart/scale.js" in meta["inputs"]
    for name in strangers(meta["inputs"]):
        named = re.search(rf"^- {re.escape(name)} ", LICENSES, re.MULTILINE)
        assert named, f"name {name}, its version and its licence in LICENSES.md"


def test_a_stranger_is_seen():
    inputs = ["resnet_lesson/a.js", "node_modules/d3-scale/src/ticks.js", "node_modules/@x/y/z.js"]
    assert strangers(inputs) == {"d3-scale", "@x/y"}


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_lines_are_as_short_as_pythons(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    long = [number for number, line in enumerate(lines, 1) if len(line) > 100]
    assert not long, f"lines of more than 100 characters: {long}"


def test_the_lock_names_versions_and_no_place_to_get_them():
    lock = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))
    packages = [package for path, package in lock["packages"].items() if path]
    assert packages
    assert all(package["dev"] and package["integrity"] for package in packages)
    assert not any("resolved" in package for package in packages)
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert set(wanted) & {"dependencies", "optionalDependencies", "peerDependencies"} == set()
    # A script of JupyterLab's in .venv, below this folder, would be read as a module and fail.
    assert "type" not in wanted
    versions = wanted["devDependencies"].values()
    assert all(re.fullmatch(r"(npm:[@\w/-]+@)?[\d.]+", version) for version in versions)


def test_without_esbuild_it_says_what_installs_it(monkeypatch, tmp_path):
    monkeypatch.setattr(bundle, "ESBUILD", tmp_path / "esbuild")
    with pytest.raises(SystemExit, match="make bundles"):
        bundle.bundle(tmp_path)
