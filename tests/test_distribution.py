"""The wheel and the source distribution: what is in them, and what the wheel gives elsewhere."""

import subprocess
import sys
import sysconfig
import tarfile
import zipfile
from pathlib import Path

import clones
import pytest

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
# A plain project: no clone around it, no JupyterLab.
ELSEWHERE = """
import sys
sys.modules["jupyterlab"] = None  # whoever imports it fails
import resnet_lesson
from resnet_lesson import *
from resnet_lesson import pretrained, studies

print(resnet_lesson.__file__)
assert all(studies.record(name).runs for name in studies.NAMES)
assert pretrained.load().model.count_params() == build_cifar(20).count_params()
for widget in (ArchitectureBuilder, GradientExplorer, LesionExplorer, TrainingPanel):
    assert len(widget._esm) > 1000, widget
"""


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """The wheel, and the source distribution that it was built from."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "uv", "build", "--no-build-isolation", "--offline"]
    subprocess.run([*command, "--quiet", "--out-dir", folder], cwd=ROOT, check=True)
    (wheel,), (source,) = folder.glob("*.whl"), folder.glob("*.tar.gz")
    return wheel, source


def test_package_index_would_take_them(built):
    command = [sys.executable, "-m", "twine", "check", "--strict", *built]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_wheel_holds_the_package_and_its_licences(built):
    with zipfile.ZipFile(built[0]) as wheel:
        names = set(wheel.namelist())
    information = {name for name in names if ".dist-info/" in name}
    assert names - information == clones.tracked("resnet_lesson")
    licences = {name.partition("/licenses/")[2] for name in information if "/licenses/" in name}
    assert licences == {"LICENSE", "resnet_lesson/LICENSES.md"}


def test_source_distribution_holds_what_the_wheel_is_made_of(built):
    with tarfile.open(built[1]) as source:
        names = {each.name.partition("/")[2] for each in source.getmembers() if each.isfile()}
    own = {name for name in names if not name.startswith("resnet_lesson.egg-info/")}
    written = {"PKG-INFO", "setup.cfg"}
    kept = {"LICENSE", "MANIFEST.in", "README.md", "pyproject.toml"}
    assert own == clones.tracked("resnet_lesson") | written | kept


def test_wheel_works_elsewhere(built, tmp_path):
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    python = tmp_path / "venv/bin/python"
    pip = [python, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "--no-index", built[0]], check=True)
    where = "import sysconfig; print(sysconfig.get_path('purelib'))"
    theirs = subprocess.check_output([python, "-c", where], text=True).strip()
    # This environment's libraries, but not the clone, which is installed there as a link.
    Path(theirs, "libraries.pth").write_text(sysconfig.get_path("purelib"), encoding="utf-8")
    done = subprocess.run(
        [python, "-c", ELSEWHERE], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert Path(done.stdout.splitlines()[0]).is_relative_to(theirs)
