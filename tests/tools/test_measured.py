"""A measured number in prose is held by an assertion, and a change by hand is seen."""

import json
from pathlib import Path

import measured
import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from run_nbval import run_nbval

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
SOURCES = "## Sources\n- He et al. 2015, [Deep Residual Learning](https://arxiv.org/abs/1512.03385)"


def made(prose, code="", **marks):
    cells = [new_markdown_cell(prose, metadata=marks), new_code_cell(code, id="here")]
    return new_notebook(cells=[*cells, new_markdown_cell(SOURCES)])


def wrong(notebook):
    return [said for *_, said in measured.numbers(notebook) if said]


@EACH
def test_every_result_is_held(path):
    notebook = nbformat.read(path, as_version=4)
    assert wrong(notebook) == []
    marked = sum(bool(cell.metadata.get("measured")) for cell in notebook.cells)
    assert marked >= 3 or path.stem == "06_inside_a_trained_network"  # whose cells print theirs


@EACH
def test_no_mark_stands_in_the_prose(path):
    cells = nbformat.read(path, as_version=4).cells
    assert [
        cell.id for cell in cells if cell.cell_type == "markdown" and "<!--" in cell.source
    ] == []


@EACH
def test_a_changed_number_is_seen(path):
    notebook = nbformat.read(path, as_version=4)
    for cell in notebook.cells:
        source = cell.source
        for text in cell.metadata.get("measured", {}):
            for changed in (text.replace(text[-1], str((int(text[-1]) + 1) % 10)), f"{text}7"):
                cell.source = source.replace(text, changed)
                assert wrong(notebook), f"{text} may become {changed} in {cell.id}"
        cell.source = source


@pytest.mark.slow
def test_a_changed_record_is_seen(tmp_path):
    """From the prose to the assertion to the record: each link breaks when its end is changed."""
    code = 'import json\nslower = json.load(open("record.json"))["slower"]\n'
    code += "assert round(slower, 1) == 7.4"
    notebook = made("It is 7.4 times slower.", code, measured={"7.4": "here"})
    notebook.cells[1].execution_count = 1
    assert wrong(notebook) == []
    paths = [tmp_path / "green" / "made.ipynb", tmp_path / "red" / "made.ipynb"]
    for path, slower in zip(paths, (7.3811, 7.2811), strict=True):
        path.parent.mkdir()
        nbformat.write(notebook, path)
        path.with_name("record.json").write_text(json.dumps({"slower": slower}), encoding="utf-8")
    done = run_nbval(*paths)
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert "FAILED ../red/made.ipynb::Cell 0" in done.stdout


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("7.4", "assert round(ratio, 1) == 7.4"),
        ("7.4", "assert np.isclose(ratio, 7.4)"),
        ("7.4", "assert abs(ratio - 7.4) < 0.05"),
        ("1,280", "assert len(digits) == 1_280"),
        ("1e-12", "assert share.min() > 1e-12"),
        ("0.8", "assert all(value > 0.8 for value in accuracies)"),
        ("-0.5", "assert low == -0.5 and high > low"),
        ("43", "assert list(counts.values()) == [43, 42, 13]"),
    ],
)
def test_an_assertion_holds_a_number(text, code):
    assert wrong(made(f"It was {text} in the end.", code, measured={text: "here"})) == []
    assert wrong(made(f"It was {text} in the end.", "x = 1", measured={text: "here"}))


def test_per_cent_may_be_a_share():
    marks = {"measured": {"1.2": "here"}}
    assert wrong(made("An error of 1.2 per cent.", "assert error == 0.012", **marks)) == []


@pytest.mark.parametrize(
    "code",
    [
        "ratio = 17",
        "assert label == '17'",
        "assert norms[17] > 0.5",
        "assert mean(17) > 0.5",
        "assert round(share, 17) == 50",
        "assert norm, 17",
    ],
)
def test_a_look_alike_holds_none(code):
    assert wrong(made("At 17.", code, measured={"17": "here"})) == ["no assertion there has it"]


@pytest.mark.parametrize(
    "prose",
    [
        "It is 7.4 of it.",
        "It is 7 times slower.",
        "A 7-fold gain.",
        "Some 7 per cent.",
        "Between 7 and 8 %.",
        "An error rate of 0.35.",
        "Some 7 percent.",
        "Grown 7x.",
        "A factor of 300.",
        "It is **300** times as large.",
        "At least 80 or more per cent.",
        "He says so in table 2, 28.5 per cent.",
    ],
)
def test_a_result_that_nothing_holds_is_seen(prose):
    assert wrong(made(prose))


@pytest.mark.parametrize(
    "prose",
    [
        "We take 50 layers, in 2015, of ResNet-110.",
        "At a rate of 0.1, or at rates 0.03 and 0.1.",
        "Section 4.1 and [He](https://arxiv.org/abs/1512.03385v1.2); Python 3.11.",
        "`build(0.5)` and $x_{0.5}$",
    ],
)
def test_a_size_needs_nothing(prose):
    assert wrong(made(prose)) == []


@pytest.mark.parametrize(
    ("marks", "said"),
    [
        ({"measured": {"8": "here"}}, "the prose has no such number"),
        ({"measured": {"7": "there"}}, "there is no such code cell"),
        ({"cited": {"7": "He et al. 2016, table 2"}}, "not among the Sources"),
        ({"cited": {"7": "tables"}}, "not among the Sources"),
        ({"cited": {"7": "He et al. 2015, table 2"}}, ""),
    ],
)
def test_a_wrong_mark_is_a_fault(marks, said):
    assert wrong(made("It is 7.", "assert x == 8", **marks)) == [said] * bool(said)


def test_the_tool_says_so(tmp_path, monkeypatch, capsys):
    path = tmp_path / "made.ipynb"
    for prose, status in (("It is 7.4.", 1), ("It is 7.", 0)):
        nbformat.write(made(prose), path)
        monkeypatch.setattr("sys.argv", ["measured.py", str(path)])
        assert measured.main() == status
        assert ("nothing says where" in capsys.readouterr().out) == bool(status)
