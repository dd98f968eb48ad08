"""Every number in the notebooks' prose is held by something, and a change by hand is seen."""

import copy
import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from nbconvert.filters.markdown_mistune import markdown2html_mistune
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from run_nbval import run_nbval

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import claims  # noqa: E402

NOTEBOOKS = sorted(ROOT.glob("notebooks/*.ipynb"))
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
LEAST = 8
SOURCES = "## Sources\n- He et al. 2015, [Deep Residual Learning](https://arxiv.org/abs/1512.03385)"


def read(path):
    return nbformat.read(path, as_version=4)


def unbound(notebook):
    return [number for number in claims.numbers(notebook) if number.kind == claims.UNBOUND]


def kinds(prose, code="", elsewhere=""):
    """The kinds of the numbers in a cell of prose with code behind it, and more code elsewhere."""
    cells = [new_markdown_cell(prose), new_code_cell(code), new_markdown_cell(SOURCES)]
    cells.append(new_code_cell(elsewhere, id="elsewhere"))
    return [number.kind for number in claims.numbers_in(new_notebook(cells=cells), 0)]


@EACH
def test_every_number_is_held(path):
    faults = [f"{number.cell}: {number.context} ({number.by})" for number in unbound(read(path))]
    assert faults == []


@EACH
def test_enough_claims_are_bound(path):
    found = [number.context for number in claims.numbers(read(path)) if number.kind == "bound"]
    assert len(found) >= LEAST, found


def other_digits(text):
    """All that a number becomes when one of its digits is changed; of words, the last word."""
    if not re.search(r"\d", text):
        *first, last = re.split(r"\b(?=\w)", text)
        others = claims.ORDINALS if last.lower() in claims.ORDINALS else claims.LARGE
        return ["".join([*first, word]) for word in others if word != last.lower()]
    places = [place for place, letter in enumerate(text) if letter.isdigit()]
    return [
        text[:place] + digit + text[place + 1 :]
        for place in places
        for digit in "0123456789"
        if digit != text[place]
    ]


def tenth_more(text):
    """A number that is larger by ten per cent, in digits."""
    value = max(claims.values(claims.NUMBER.match(text)))
    return f"{float(value) * 1.1:.12g}"


def escapes(notebook, changes):
    """Of these changes of bound claims: which are seen, and which are not."""
    seen, unseen = [], []
    for index, cell in enumerate(notebook.cells):
        prose = cell.source
        if cell.cell_type != "markdown":
            continue
        for number in claims.numbers_in(notebook, index):
            end = number.start + len(number.text)
            for changed in changes(number.text) if number.kind == "bound" else []:
                cell.source = prose[: number.start] + changed + prose[end:]
                after = claims.numbers_in(notebook, index)
                red = any(n.start == number.start and n.kind == claims.UNBOUND for n in after)
                (seen if red else unseen).append((number.text, changed, number.context))
        cell.source = prose
    return seen, unseen


def written(cell):
    """All numbers in the code of a cell."""
    if cell.cell_type != "code":
        return set()
    return claims.given(cell.source) | claims.asserted(cell.source)


@EACH
def test_a_changed_number_is_seen(path):
    """A change escapes only where the code beside it has the new number too: one in ten at most."""
    notebook = copy.deepcopy(read(path))
    _, unseen = escapes(notebook, lambda text: [tenth_more(text)])
    assert unseen == []
    seen, unseen = escapes(notebook, other_digits)
    assert len(unseen) <= len(seen + unseen) / 10, unseen
    for text, changed, _ in unseen:
        new = claims.values(claims.NUMBER.match(changed))
        assert new & set().union(*map(written, notebook.cells)), (text, changed)


def test_an_escape_is_counted():
    cells = [new_markdown_cell("It is 12."), new_code_cell("f(13, 14)\nassert x == 12")]
    seen, unseen = escapes(new_notebook(cells=cells), other_digits)
    assert [changed for _, changed, _ in unseen] == ["13", "14"]
    assert len(seen) == 16
    assert tenth_more("12") == "13.2"
    assert tenth_more("1e-3") == "0.0011"


@pytest.mark.slow
def test_a_changed_record_is_seen(tmp_path):
    """From the prose to the assertion to the record: each link breaks when its end is changed."""
    code = 'import json\nslower = json.load(open("record.json"))["slower"]\n'
    code += "assert round(slower, 1) == 7.4"
    cells = [new_code_cell(code, execution_count=1), new_markdown_cell("It is 7.4 times slower.")]
    notebook = new_notebook(cells=cells)
    assert [number.kind for number in claims.numbers(notebook)] == ["bound"]

    paths = [tmp_path / "green" / "made.ipynb", tmp_path / "red" / "made.ipynb"]
    for path, slower in zip(paths, (7.3811, 7.2811), strict=True):
        path.parent.mkdir()
        nbformat.write(notebook, path)
        path.with_name("record.json").write_text(json.dumps({"slower": slower}), encoding="utf-8")
    done = run_nbval(*paths)
    assert done.returncode == 1, done.stdout
    assert "1 failed, 1 passed" in done.stdout
    assert "FAILED ../red/made.ipynb::Cell 0" in done.stdout
    assert "AssertionError" in done.stdout
    cells[1].source = "It is 7.3 times slower."
    assert [number.text for number in unbound(notebook)] == ["7.3"]


@pytest.mark.parametrize(
    ("prose", "code"),
    [
        ("It is 7.4 times slower.", "assert round(ratio, 1) == 7.4"),
        ("It is 7.4x slower.", "assert np.isclose(ratio, 7.4)"),
        ("It is **7.4** times slower.", "assert abs(ratio - 7.4) < 0.05"),
        ("Less than a billionth arrives.", "assert first < 1e-9 * last"),
        ("Some 1,280 digits.", "assert len(digits) == 1_280"),
        ("An error of 1.2 per cent.", "assert round(error, 3) == 0.012"),
        ("An error of 1.2 %.", "assert round(100 * error, 1) == 1.2"),
        ("`0.8` is passed.", "assert all(value > 0.8 for value in accuracies)"),
        ("$0.8$ is passed.", "assert (accuracies > 0.8).all()"),
        ("It falls to -0.5.", "assert low == -0.5 and high > low"),
        ("There are 43 of them.", "assert list(counts.values()) == [43, 42, 13]"),
        ("Two hundred lines.", "for text in texts:\n    assert len(text) == 200"),
        ("A slope of 1/4.", "assert slope == 0.25"),
        ("About 1.7 million weights.", "assert round(weights, -5) == 1_700_000"),
    ],
)
def test_an_assertion_binds(prose, code):
    assert kinds(prose, code) == ["bound"]


@pytest.mark.parametrize(
    ("prose", "code"),
    [
        ("It is 7.4 times slower.", "ratio = 7.4"),  # a result is no size
        ("Between 7 and 8 % slower.", "depths = (7, 8)"),
        ("At 0.93.", "assert label == '0.93'"),
        ("At 17.", "assert norms[17] > 0.5"),
        ("At 17.", "assert norms[3:17].mean() > 0.5"),
        ("At 17.", "assert mean(17) > 0.5"),
        ("At 17.", "assert round(100 * share, 17) == 50"),
        ("At 17.", "assert norm != 17"),
        ("At 17.", "assert not norm == 17"),
        ("At 17.", "assert norm == 17 or True"),
        ("At 17.", "assert 17 == 17"),
        ("At 17.", "assert norm, 17"),
        ("At 17.", "def never():\n    assert norm == 17"),
        ("At 17.", "if False:\n    assert norm == 17"),
        ("At 17.", "x[17]"),
        ("At -17.", "assert norm == 17"),
        ("At 1,280.", "assert norm == 280"),
        ("At .17.", "assert norm == 17"),
        ("At 10⁻⁹ of it.", "assert norm < 1e-9"),
        ("`loss = 0.17`, `loss > 0.17` at the end.", ""),
        ("$\\approx 0.17$ at the end.", ""),
        ("_17_ and x17.", ""),
    ],
)
def test_a_look_alike_does_not(prose, code):
    assert set(kinds(prose, code)) == {claims.UNBOUND}


@pytest.mark.parametrize(
    ("prose", "code"),
    [
        ("We take 50 layers.", "stack_gradients(50)"),
        ("We take twenty layers.", "for depth in (20, 50): build(depth)"),
        ("`K = 64` filters.", "K = 64"),
        ("With 50 layers.", "build(50)\nassert ratio < 50"),  # a size first
    ],
)
def test_a_size_is_known_by_the_code(prose, code):
    assert kinds(prose, code) == ["size"]


def test_beside_is_the_nearest_code_on_either_side():
    cells = [
        new_markdown_cell("Words.") if name == "-" else new_code_cell(name, id=name)
        for name in "a-bc--d-e"
    ]
    found = claims.beside(new_notebook(cells=cells), 4)
    assert sorted(cell.id for cell in found) == ["b", "c", "d"]


@pytest.mark.parametrize(
    ("form", "prose"),
    [
        ("citation", "He et al. (2015) and He et al.\n2016, Glorot and Bengio 2010, Ioffe (2015)."),
        ("place", "Section 4.1, figure 4, tables 2 and 3, notebook 2, exercises 1, 2 and 3."),
        ("title", "# 2 · The identity shortcut"),
        ("title", "Next: [3 · Bottleneck](03_bottleneck.ipynb)"),
        ("list item", "1. Change the seed.\n2. Change it back."),
        ("list item", "Is it (1) faster or (2) slower?"),
        ("minutes", "**Time:** 15 minutes."),
        ("minutes", "Try another seed. (2 min)"),
        ("name", "ResNet-110 and plain-34 on CIFAR-10."),
        ("version", "Python 3.11 and Keras 3; arXiv:1512.03385."),
        ("bits", "A 32-bit number, of 32 bits."),
        ("height x width", "3x3 kernels, 64 × 64 pictures, maps of 8 x 8 x 512."),
        ("depth of a network", "A 56-layer network and a hundred-layer one; 20 layers were not."),
        ("power", "A power of ten."),
    ],
)
def test_a_form_speaks_for_itself(form, prose):
    found = claims.numbers(new_notebook(cells=[new_markdown_cell(prose)]))
    expected = {"form", claims.UNBOUND} if "were not" in prose else {"form"}
    assert {number.kind for number in found} == expected
    assert {number.by for number in found if number.kind == "form"} == {form}


def test_every_form_is_tested():
    (mark,) = test_a_form_speaks_for_itself.pytestmark
    assert {form for form, _ in mark.args[1]} == set(claims.FORMS)


@pytest.mark.parametrize(
    "prose",
    [
        "After 2000 steps.",
        "In 2015 it fell.",
        "Only table 2 and 3 layers.",  # the 3
        "It took 12 minutes.",
        "It reached 8 by itself.",
        "In the end it reached\n17. Next.",
    ],
)
def test_what_only_resembles_a_form(prose):
    assert claims.UNBOUND in kinds(prose)


@pytest.mark.parametrize(
    "prose",
    [
        "Write `build_cifar(20)` or `9 K K`.",
        "```python\nbuild(20)\n```",
        "The sum $x_L = x_l + 2 F$ and $$\\frac{x}{4}$$.",
        "[He](https://arxiv.org/abs/1512.03385) and ![a curve](images/curve_20.png)",
        '<img width="40"> L2, float32, conv2',
        "One of six, twice, half.",
    ],
)
def test_what_is_no_number_of_the_prose(prose):
    assert kinds(prose) == []


@pytest.mark.parametrize(
    ("prose", "expected"),
    [
        ("We cut 1,280<!-- size --> digits.", ["size"]),
        ("With 10, 20 and 40<!-- sizes --> modules.", ["size", "size", "size"]),
        ("Not 7, but 40<!-- size --> modules.", [claims.UNBOUND, "size"]),
        ("Take 7. Or 8 and 9<!-- sizes -->, or 6.", [claims.UNBOUND, "size", "size", "UNBOUND"]),
        ("- Take 7\n- or 8<!-- sizes -->", [claims.UNBOUND, "size"]),
        ("| 7 | 8<!-- sizes --> |", [claims.UNBOUND, "size"]),
        ("It was 2014<!-- year -->.", ["year"]),
        ("Depths are 6n + 2<!-- formula -->.", ["formula", "formula"]),
        ("6.61 at 110<!-- cited: He et al. 2015, table 6 -->.", ["cited", "cited"]),
        ("6.61, then 7.61.<!-- cited: He et al. (2015),\ntable 6 --> So", ["cited", "cited"]),
        ("7.4 times<!-- cell: elsewhere --> slower.", ["bound"]),
        ("1 exactly, with 8<!-- cell: elsewhere -->.", ["bound", "size"]),
    ],
)
def test_a_comment_declares(prose, expected):
    elsewhere = "one = f(1, 8)\nassert one == 1\nassert round(ratio, 1) == 7.4"
    assert kinds(prose, elsewhere=elsewhere) == expected


@pytest.mark.parametrize(
    ("prose", "why"),
    [
        ("40<!-- sise --> modules", "not 'sise'"),
        ("6.61<!-- cited -->", "not among the Sources"),
        ("6.61<!-- cited: He et al. -->", "not among the Sources"),
        ("6.61<!-- cited: He et al. 2016 -->", "not among the Sources"),
        ("6.61<!-- cited: Yang et al. 2015 -->", "not among the Sources"),
        ("It was 1280<!-- year -->.", "four digits"),
        ("7.4<!-- cell: nowhere -->", "no code cell 'nowhere'"),
        ("7.4<!-- cell: elsewhere -->", "not in the code"),
        ("None.<!-- size -->", "declares no number"),
        ("It is 7. <!-- size -->", "declares no number"),
        ("ResNet-20<!-- size -->", "declares no number"),
        ("We take 40\n<!-- size --> modules.", "starts a line"),
    ],
)
def test_a_wrong_comment_is_a_fault(prose, why):
    cells = [new_markdown_cell(prose), new_markdown_cell(SOURCES)]
    cells.append(new_code_cell("assert x == 3", id="elsewhere"))
    assert why in " ".join(number.by for number in unbound(new_notebook(cells=cells)))


@pytest.mark.parametrize(
    ("words", "value"),
    [
        ("ten", 10),
        ("nineteen", 19),
        ("twenty-five", 25),
        ("two hundred", 200),
        ("a hundred thousand", 10**5),
        ("three million", 3 * 10**6),
        ("a dozen", 12),
        ("hundreds", 100),
        ("the twentieth", 20),
        ("a tenth", 0.1),
        ("a ten-thousandth", 1e-4),
        ("hundred-thousandths", 1e-5),
        ("tenfold", 10),
    ],
)
def test_number_words(words, value):
    assert kinds(f"It is {words}.", f"assert x == {value}") == ["bound"]


def test_readers_do_not_see_it():
    prose = "Rates of 6.61 and 7.61<!-- cited: He et al. 2015 --> on *all* 40<!-- size -->\nruns."
    page = markdown2html_mistune(prose)
    shown = re.sub(r"<[^>]+>", "", claims.COMMENT.sub("", page))
    assert shown.split() == claims.COMMENT.sub("", prose).replace("*", "").split()
    assert page.count("<p>") == 1


@pytest.mark.parametrize(("prose", "status"), [("Only 3 layers.", 0), ("Some 4 layers.", 1)])
def test_the_tool_says_so(tmp_path, monkeypatch, capsys, prose, status):
    path = tmp_path / "made.ipynb"
    cells = [new_markdown_cell(prose), new_code_cell("build(3)", id="built")]
    nbformat.write(new_notebook(cells=cells), path)
    monkeypatch.setattr(sys, "argv", ["claims.py", str(path)])
    assert claims.main() == status
    printed = capsys.readouterr().out
    assert f"1 numbers, 0 bound, {status} unbound" in printed
    assert ("built" in printed) == (status == 0)
