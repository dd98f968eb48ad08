"""The exported page holds all it needs, and a notebook that cannot be exported leaves nothing."""

import json
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

ROOT = Path(__file__).parent.parent
sys.path.insert(0, str(ROOT / "tools"))
import build_site  # noqa: E402
import links  # noqa: E402

# What a browser fetches by itself; a link waits for the reader.
FETCHED = ("src", "srcset", "poster", "data", "background")


def notebook(esm="export default { render() {} };", **traits):
    """A notebook that shows one widget with a saved state."""
    view = {
        build_site.VIEW: {"model_id": "abc", "version_major": 2, "version_minor": 0},
        "image/png": "AAAA",
        "text/plain": 'a <widget> & its "words"',
    }
    cells = [
        new_markdown_cell("# Title & more\n[next](02.ipynb) [up](../README.md) [web](https://a.b)"),
        new_code_cell("explorer", outputs=[new_output("execute_result", data=view)]),
        new_markdown_cell("*A curve that\nfalls.* And so on."),
    ]
    state = {"abc": {"state": {"_esm": esm, "_css": "p {}", **traits}}}
    saved = {build_site.STATE: {"state": state, "version_major": 2, "version_minor": 0}}
    return new_notebook(cells=cells, metadata={"widgets": saved})


def exported(source):
    return BeautifulSoup(build_site.page(source, "notebooks/01.ipynb"), "html.parser")


@pytest.fixture(scope="module")
def lesson():
    """The first notebook and its page."""
    source = nbformat.read(build_site.NOTEBOOK, 4)
    text = build_site.page(nbformat.read(build_site.NOTEBOOK, 4), "notebooks/01.ipynb")
    return source, BeautifulSoup(text, "html.parser")


def saved_state(page):
    return json.loads(page.find(id="widgets").string)


def test_the_page_fetches_nothing(lesson):
    _, page = lesson
    assert page.select("link, iframe, object, embed, base, meta[http-equiv]") == []
    fetched = [tag[name] for tag in page() for name in FETCHED if tag.has_attr(name)]
    assert fetched
    assert all(address.startswith("data:image/") for address in fetched)
    for code in page("script") + page("style"):
        assert "http" not in code.string.replace("http://www.w3.org/2000/svg", "")
        assert "@import" not in code.string
        assert "url(" not in code.string


def test_the_explorers_are_on_the_page_with_their_saved_traits(lesson):
    source, page = lesson
    saved = source.metadata["widgets"][build_site.STATE]["state"]
    guessing = []
    for place in page.select("[data-widget]"):
        traits = saved_state(page)[place["data-widget"]]
        assert traits == saved[place["data-widget"]]["state"]
        assert traits["depth"] == 20
        assert traits["curve"]
        assert "export default" in traits["_esm"]
        guessing.append(traits["guessing"])
    assert guessing == [True, False]


def test_the_page_is_the_notebook_without_its_set_up(lesson):
    source, page = lesson
    words = " ".join(page.main.get_text().split())
    for cell in source.cells:
        if cell.cell_type == "code":
            shown = " ".join(cell.source.split()) in words
            assert shown == (cell.source != links.setup_cell())
    headings = [heading.get_text() for heading in page.select("h1, h2")]
    assert headings[0] == "1 · Vanishing gradients"
    assert "Remember" in headings
    assert "$" not in page.main.get_text(), "nothing on the page sets formulas"


def test_title_language_and_width_are_set(lesson):
    _, page = lesson
    assert page.html["lang"] == "en"
    assert page.title.string.startswith("1 · Vanishing gradients")
    assert "width=device-width" in page.find("meta", attrs={"name": "viewport"})["content"]


def test_every_picture_is_described(lesson):
    _, page = lesson
    pictures = page("img")
    assert len(pictures) > 3
    for picture in pictures:
        assert len(picture["alt"].split()) > 5
        assert "No description" not in picture["alt"]


def test_links_lead_into_the_repository_or_out(lesson):
    _, page = lesson
    ours = f"https://github.com/{links.slug()}/blob/HEAD/"
    targets = [link["href"] for link in page("a")]
    assert any(target.startswith(f"{ours}notebooks/02_") for target in targets)
    for target in targets:
        assert target.startswith("https://")
        if target.startswith(ours) and "01.ipynb" not in target:
            assert (ROOT / target.removeprefix(ours)).exists()


def test_relative_links_follow_the_project_address(monkeypatch):
    monkeypatch.setattr(links, "slug", lambda: "some/one")
    targets = [link["href"] for link in exported(notebook()).main("a")]
    ours = "https://github.com/some/one/blob/HEAD/"
    assert targets == [f"{ours}notebooks/02.ipynb", f"{ours}README.md", "https://a.b"]


def test_words_and_code_cannot_break_the_page():
    module = 'export default {}; // </script><img src="https://a.b/c">'
    page = exported(notebook(module, note="<!-- <script>"))
    assert saved_state(page)["abc"]["_esm"] == module
    assert saved_state(page)["abc"]["note"] == "<!-- <script>"
    assert page.title.string.startswith("Title & more")
    (picture,) = page("img")
    assert picture["alt"] == 'a <widget> & its "words"'
    assert picture["src"] == "data:image/png;base64,AAAA"


def test_a_figure_takes_the_words_under_it():
    source = notebook()
    figure = new_output("display_data", data={"image/png": "BBBB"})
    source.cells.insert(2, new_code_cell("plot", outputs=[figure]))
    assert exported(source)("img")[1]["alt"] == "A curve that falls."


def without_state():
    source = notebook()
    del source.metadata["widgets"]
    return source


def without_view():
    source = notebook()
    source.cells[1].outputs = [new_output("stream", text="nothing\n")]
    return source


def without_module():
    source = notebook()
    del source.metadata["widgets"][build_site.STATE]["state"]["abc"]["state"]["_esm"]
    return source


@pytest.mark.parametrize("broken", [without_state, without_view, without_module])
def test_a_notebook_without_its_explorer_is_refused(broken, tmp_path):
    nbformat.write(broken(), tmp_path / "01.ipynb")
    said = build_site.main(tmp_path / "01.ipynb", tmp_path / "site/index.html")
    assert "01.ipynb" in said
    assert "make notebooks" in said
    assert not (tmp_path / "site").exists()


def test_it_writes_the_page_and_nothing_else(tmp_path):
    nbformat.write(notebook(), tmp_path / "01.ipynb")
    target = tmp_path / "site/index.html"
    for _ in range(2):  # an older page is replaced
        assert build_site.main(tmp_path / "01.ipynb", target) is None
    assert list(target.parent.iterdir()) == [target]
    assert target.read_text().endswith("</html>\n")


def test_a_page_half_written_is_taken_away(tmp_path):
    target = tmp_path / "index.html"
    target.write_text("older")
    with pytest.raises(UnicodeEncodeError):
        build_site.write(target, "half \ud800")
    assert [path.read_text() for path in tmp_path.iterdir()] == ["older"]
