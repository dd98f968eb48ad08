"""The rules that make nbval's comparison mean something, and proof that they bite."""

import ast
import re
from pathlib import Path

import links
import nbformat
import pytest
import reading
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from notebook_runs import VIEW
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
    "06_inside_a_trained_network",
]
NOT_COMPARED = ("image/png", "image/jpeg", VIEW)  # by nbval
MACHINE = re.compile(r"(/home|/work|/tmp|/root|/Users)/")


def faults(notebook):
    """What is wrong with a notebook, in words; nothing where it keeps the rules."""
    said = []
    held = {name for cell in notebook.cells for name in asserted(cell)}
    kept = kept_to_the_end(notebook)
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
        if (ignored or unseen) and not (reading.asserting(cell) or kept[cell.id] & held):
            said.append(f"not compared, and no assertion holds what it assigns: {where}")
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


def names(node, context):
    """The variables that are read (ast.Load) or assigned (ast.Store) in a piece of code."""
    found = [one for one in ast.walk(node) if isinstance(one, ast.Name)]
    return {one.id for one in found if isinstance(one.ctx, context)}


def assigned(cell):
    return names(ast.parse(cell.source), ast.Store) if cell.cell_type == "code" else set()


def kept_to_the_end(notebook):
    """The variables that each cell assigns, without those that a later cell in sight assigns."""
    kept, later = {}, set()
    for cell in reversed(notebook.cells):
        kept[cell.id] = assigned(cell) - later
        later |= assigned(cell) if reading.is_visible(cell) else set()
    return kept


def asserted(cell):
    """The variables that a cell of checks holds: those that its assertions read, themselves or by
    what the cell made of them."""
    if "checks" not in cell.metadata.get("tags", []):
        return set()
    tree = ast.parse(cell.source)
    read = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assert):
            read |= names(node, ast.Load)
    for node in reversed(list(ast.walk(tree))):
        if isinstance(node, (ast.Assign, ast.For, ast.FunctionDef)) and (
            read & (names(node, ast.Store) | {getattr(node, "name", "")})
        ):
            read |= names(node, ast.Load)
    return read


def is_setup(cell):
    return cell.source.startswith("# @title Set-up")


def folds(notebook):
    """What a learner sees too early or needs not see, in words."""
    said = []
    for cell, following in zip(notebook.cells, [*notebook.cells[1:], None], strict=True):
        if cell.cell_type != "code":
            continue
        tags, hidden = cell.metadata.get("tags", []), cell.metadata.get("jupyter", {})
        # Its output may be folded as well.
        code_is_folded = links.FOLDED["jupyter"].items() <= hidden.items()
        code_is_folded &= cell.metadata.get("cellView") == links.FOLDED["cellView"]
        if "checks" in tags and not (code_is_folded and cell.source.startswith("# @title ")):
            said.append(f"checks in sight: {cell.id}")
        if code_is_folded and not {"checks", "folded"} & set(tags) and not is_setup(cell):
            said.append(f"folded without a tag that says why: {cell.id}")
        if not {"guess", "asked"} & set(tags) or "guessing=True" in cell.source:
            continue
        # JupyterLab writes both; where one is missing, the file is changed as it is opened.
        if not (hidden.get("outputs_hidden") and cell.metadata.get("collapsed")):
            said.append(f"the answer is in sight before the guess: {cell.id}")
        if re.search(r"\d", first_line(cell)):
            said.append(f"JupyterLab shows the first line of a folded output: {cell.id}")
        is_told = following and following.source.startswith("<details><summary>")
        if "guess" in tags and not is_told:
            said.append(f"the answer's words are in sight before the guess: {cell.id}")
    return said


def first_line(cell):
    texts = [output.get("text", "") for output in cell.outputs]
    return "".join(texts).partition("\n")[0]


def figures(notebook):
    return [
        cell
        for cell in notebook.cells
        if any("image/png" in output.get("data", {}) for output in cell.get("outputs", []))
        and not any(VIEW in output.get("data", {}) for output in cell.outputs)
    ]


def test_there_are_six():
    assert [path.stem for path in NOTEBOOKS] == NAMES


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_rules_are_kept(path):
    assert faults(nbformat.read(path, as_version=4)) == []
    assert path.stat().st_size < 1_000_000


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_no_answer_is_seen_before_its_question(path):
    notebook = nbformat.read(path, as_version=4)
    assert folds(notebook) == []
    assert any("checks" in cell.metadata.get("tags", []) for cell in notebook.cells)


@pytest.mark.parametrize("path", NOTEBOOKS[1:], ids=lambda path: path.stem)
def test_each_says_to_shut_the_last_one_down(path):
    title = nbformat.read(path, as_version=4).cells[0].source
    assert "On Binder, shut the last notebook down first." in title


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_each_figure_is_described(path):
    drawn = figures(nbformat.read(path, as_version=4))
    assert drawn
    assert [cell.id for cell in drawn if len(cell.metadata.get("alt", "")) < 40] == []


@pytest.mark.parametrize(
    ("cell", "fault"),
    [
        (new_code_cell("1", execution_count=None), "never executed"),
        (new_code_cell("# NBVAL_SKIP\n1", execution_count=1), "skipped"),
        (
            new_code_cell(
                "1", execution_count=1, outputs=[new_output("display_data", {"image/png": "x"})]
            ),
            "no assertion holds",
        ),
        (
            new_code_cell("1", execution_count=1, metadata={"tags": ["nbval-ignore-output"]}),
            "no assertion holds",
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


CHECKS = links.FOLDED | {"tags": ["checks"]}
GUESS = {"tags": ["guess"], "jupyter": {"outputs_hidden": True}, "collapsed": True}
PICTURE = new_output("display_data", {"image/png": "x"})


def checked(source):
    """A picture of `norms`, and these checks behind it."""
    picture = new_code_cell("norms = draw()", execution_count=1, outputs=[PICTURE])
    checks = new_code_cell("# @title Checks\n" + source, execution_count=2, metadata=CHECKS)
    return new_notebook(cells=[picture, checks])


def test_a_picture_may_be_held_by_the_checks_at_the_end():
    assert faults(checked("assert norms.max() < 2")) == []
    assert faults(checked("share = norms / 2\nassert share.max() < 2")) == []
    assert len(faults(checked("share = norms / 2\nassert other < 2"))) == 1
    drawn_again = checked("assert norms.max() < 2")
    drawn_again.cells.insert(1, new_code_cell("norms = draw_others()", execution_count=2))
    assert len(faults(drawn_again)) == 1  # the check holds another picture


@pytest.mark.parametrize(
    ("cell", "following", "fault"),
    [
        (new_code_cell("1", metadata={"tags": ["checks"]}), "", "checks in sight"),
        (new_code_cell("1", metadata=CHECKS), "", "checks in sight"),
        (new_code_cell("1", metadata=CHECKS | {"tags": []}), "", "without a tag"),
        (
            new_code_cell("1", metadata={"tags": ["guess"]}),
            "<details><summary>Open this</summary>",
            "before the guess",
        ),
        (new_code_cell("1", metadata={"tags": ["asked"]}), "It grows.", "before the guess"),
        (new_code_cell("1", metadata=GUESS), "It grows.", "words are in sight"),
        (
            new_code_cell("1", metadata=GUESS, outputs=[new_output("stream", text="13\n")]),
            "<details><summary>Open this</summary>",
            "first line",
        ),
    ],
)
def test_what_is_seen_too_early_is_named(cell, following, fault):
    (said,) = folds(new_notebook(cells=[cell, new_markdown_cell(following)]))
    assert fault in said


def test_a_guess_and_its_answer_are_folded():
    answer = new_markdown_cell("<details><summary>Open this</summary>\n\nIt grows.\n</details>")
    drawn = new_code_cell("GradientExplorer(guessing=True)", metadata={"tags": ["guess"]})
    cells = [new_code_cell("1", metadata=GUESS), answer, drawn]
    assert folds(new_notebook(cells=cells)) == []
