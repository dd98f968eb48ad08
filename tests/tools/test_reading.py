"""What a notebook asks of its reader is counted, and stays within what was promised."""

from pathlib import Path

import nbformat
import pytest
import reading
from links import FOLDED
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

NOTEBOOKS = sorted(Path(__file__).parents[2].glob("notebooks/*.ipynb"))
EACH = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@EACH
def test_a_notebook_is_short_and_plain_to_read(path):
    found = reading.read(nbformat.read(path, as_version=4))
    assert found.brackets == []
    assert found.captions == []
    assert len(found.crowded) <= found.sentences / 20, found.crowded
    assert 10 <= found.mean_length <= 19
    assert 1 <= found.guesses <= 3


@EACH
def test_its_cells_could_have_been_written_by_a_learner(path):
    found = reading.read(nbformat.read(path, as_version=4))
    assert found.longest <= 18
    assert found.asserting <= 1 / 12
    assert found.only_assert == []


@EACH
def test_the_time_said_is_the_time_it_takes(path):
    found = reading.read(nbformat.read(path, as_version=4))
    assert 15 <= found.route_stated <= 30
    assert abs(found.route_stated - found.route) <= 1
    assert abs(found.stated - found.minutes) <= 1


def notebook(*cells):
    title = new_markdown_cell("# T\n\n**Time:** 15 minutes, 20 with more")
    return new_notebook(cells=[title, *cells])


def test_code_is_counted_where_it_is_seen():
    cells = [
        new_code_cell("assert (\n    True\n)\nx = 1"),
        new_code_cell("assert True", id="nothing-else"),
        new_code_cell("assert True\n" * 30, metadata=FOLDED),
        new_code_cell("y = 2", metadata={"tags": ["guess"]}),
    ]
    found = reading.read(notebook(*cells))
    assert found.asserting == 4 / 6
    assert (found.longest, found.only_assert, found.guesses) == (4, ["nothing-else"], 1)


def test_sentences_are_told_apart():
    text = (
        "He et al. 2016 say so, e.g. in table 2. A second: it has 1, 2 and 3 of them.\n\n"
        "| 4 | 5 | 6 |\n|---|---|---|\n\n"
        "- An item\n  goes on.\n- And another; it ends\n\n```\ncode. With 1 2 3 numbers.\n```\n"
    )
    said = reading.sentences(text)
    assert [one.split()[0] for one in said] == ["He", "A", "-", "-"]
    found = reading.read(notebook(new_markdown_cell(text)))
    assert found.crowded == ["A second: it has 1, 2 and 3 of them."]
    assert found.with_colon == 2 / 4
    assert found.mean_length == (10 + 10 + 5 + 5) / 4


@pytest.mark.parametrize("text", ["(2). It does.", "**(2).** It does.", "**(1)** So it is."])
def test_an_answer_in_brackets_is_seen(text):
    assert len(reading.read(notebook(new_markdown_cell(text))).brackets) == 1


def test_a_caption_in_italics_is_seen_and_bold_words_are_none():
    cells = [new_markdown_cell("*Two curves.* Text."), new_markdown_cell("**Take along.** Text.")]
    assert reading.read(notebook(*cells)).captions == ["*Two curves.* Text."]


def test_time_is_that_of_words_code_figures_and_guesses():
    picture = new_output("display_data", {"image/png": "x"})
    cells = [
        new_markdown_cell("word " * 100),
        new_markdown_cell(
            "<details><summary>A closer look: it</summary>\n" + "word " * 500 + "</details>"
        ),
        new_code_cell("x\n" * 15, metadata={"tags": ["guess"]}, outputs=[picture]),
        new_code_cell("x\n" * 99, metadata=FOLDED),
        new_markdown_cell(f"## More {reading.SKIPPED}"),
        new_code_cell("x\n" * 30),
        new_markdown_cell("## Take along\n" + "word " * 500),
    ]
    found = reading.read(notebook(*cells))
    assert (found.route_stated, found.stated) == (15, 20)
    assert found.route == pytest.approx(1 + 1 + 1 + 1.5, abs=0.1)  # the title has eight words
    assert found.minutes - found.route == pytest.approx(2, abs=0.1)
