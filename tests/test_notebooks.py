"""The rules that make nbval's comparison mean something, and proof that they bite."""

import ast
import re
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from run_nbval import run_nbval

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parent.parent
NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
NAMES = [
    "01_vanishing_gradients",
    "02_identity_shortcut",
    "03_bottleneck_and_preactivation",
    "04_building_resnet",
    "05_training",
]
# nbval never compares these.
NOT_COMPARED = ("image/png", "image/jpeg", "application/vnd.jupyter.widget-view+json")
MACHINE = re.compile(r"(/home|/work|/tmp|/root|/Users)/")


def faults(notebook):
    """What is wrong with a notebook, in words; nothing where it keeps the rules."""
    said = []
    for cell in notebook.cells:
        if MACHINE.search(cell.source + shown(cell)):
            said.append(f"a path of one machine: {cell.source.strip()[:40]}")
        if cell.cell_type != "code":
            continue
        where, tags = cell.source.strip()[:40], cell.metadata.get("tags", [])
        if cell.execution_count is None:
            said.append(f"never executed, so never compared: {where}")
        if re.search(r"NBVAL_SKIP|NBVAL_RAISES", cell.source, re.I) or {
            "nbval-skip",
            "nbval-raises-exception",
            "raises-exception",
        } & set(tags):
            said.append(f"skipped: {where}")
        ignored = "nbval-ignore-output" in tags or "NBVAL_IGNORE_OUTPUT" in cell.source
        unseen = any(
            kind in output.get("data", {}) for output in cell.outputs for kind in NOT_COMPARED
        )
        if (ignored or unseen) and not has_assertion(cell.source):
            said.append(f"not compared and without an assertion: {where}")
        for output in cell.outputs:
            if output.output_type == "error" or output.get("name") == "stderr":
                said.append(f"an error or noise on stderr: {where}")
    return said


def shown(cell):
    """The cell's outputs as text, without pictures: base64 has slashes of its own."""
    texts = []
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        texts += [str(value) for kind, value in data.items() if not kind.startswith("image/")]
        texts += [str(value) for key, value in output.items() if key != "data"]
    return "\n".join(texts)


def has_assertion(source):
    return any(isinstance(node, ast.Assert) for node in ast.walk(ast.parse(source)))


def test_there_are_five():
    assert [path.stem for path in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_rules_are_kept(path):
    assert faults(nbformat.read(path, as_version=4)) == []
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (new_code_cell("1", execution_count=None), "never executed"),
        (new_code_cell("# NBVAL_SKIP\n1", execution_count=1), "skipped"),
        (
            new_code_cell(
                "1", execution_count=1, outputs=[new_output("display_data", {"image/png": "x"})]
            ),
            "without an assertion",
        ),
        (
            new_code_cell("1", execution_count=1, metadata={"tags": ["nbval-ignore-output"]}),
            "without an assertion",
        ),
        (
            new_code_cell(
                "1", execution_count=1, outputs=[new_output("stream", name="stderr", text="x")]
            ),
            "noise",
        ),
        (new_code_cell("1 / 0", execution_count=1, outputs=[new_output("error")]), "an error"),
        (new_code_cell("open('/home/me')", execution_count=1), "path"),
        (
            new_code_cell(
                "1", execution_count=1, outputs=[new_output("stream", text="in /tmp/x.py")]
            ),
            "path",
        ),
        (new_markdown_cell("Look in /home/me."), "path"),
    ],
)
def test_each_rule_bites(cell, fault):
    (said,) = faults(new_notebook(cells=[cell]))
    assert fault in said


def test_no_sanitiser_hides_numbers():
    homes = [ROOT / "Makefile", ROOT / "pyproject.toml", ROOT / ".ci/run"]
    homes += [*ROOT.glob("*.ini"), *ROOT.glob("*.cfg"), *ROOT.glob("tests/**/conftest.py")]
    settings = "".join(path.read_text(encoding="utf-8") for path in homes)
    assert "--nbval " in settings
    assert "--nbval-lax" not in settings
    # None at all, so none that could match a number.
    assert "sanitize" not in settings


def test_nbval_sees_a_wrong_output(tmp_path):
    paths = [tmp_path / "right.ipynb", tmp_path / "wrong.ipynb"]
    for path, stored in zip(paths, "23", strict=True):
        output = new_output("execute_result", {"text/plain": stored}, execution_count=1)
        cell = new_code_cell("1 + 1", execution_count=1, outputs=[output])
        nbformat.write(new_notebook(cells=[cell]), path)
    done = run_nbval(*paths)
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert "FAILED wrong.ipynb::" in done.stdout
