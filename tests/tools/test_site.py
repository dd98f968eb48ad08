"""The exported page holds all it needs, and a notebook that cannot be exported leaves nothing."""

import json
import re
import sys
from pathlib import Path

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from resnet_lesson import ArchitectureBuilder, GradientExplorer, LesionExplorer, TrainingPanel
from resnet_lesson.plots import style as plots_style

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_site  # noqa: E402
import links  # noqa: E402

pytestmark = pytest.mark.slow

WIDGETS = (ArchitectureBuilder, GradientExplorer, LesionExplorer, TrainingPanel)
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


@pytest.fixture(scope="module", params=build_site.PAGES)
def lesson(request, tmp_path_factory):
    """A notebook and its page."""
    path = build_site.NOTEBOOKS / f"{request.param}.ipynb"
    target = tmp_path_factory.mktemp("site") / "page.html"
    build_site.export(path, target, build_site.neighbours(request.param))
    return nbformat.read(path, 4), BeautifulSoup(target.read_text(encoding="utf-8"), "html.parser")


def saved_state(page):
    return json.loads(page.find(id="widgets").string)


def test_the_notebook_has_saved_the_widgets_of_today(lesson):
    ours = {(widget._esm, widget._css) for widget in WIDGETS}
    for saved in build_site.live_widgets(lesson[0]).values():
        assert (saved["_esm"], saved["_css"]) in ours, "run `make notebooks`"


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


def test_the_widgets_are_on_the_page_with_their_saved_traits(lesson):
    source, page = lesson
    saved = source.metadata["widgets"][build_site.STATE]["state"]
    places = page.select("[data-widget]")
    outputs = [output for cell in source.cells for output in cell.get("outputs", [])]
    assert len(places) == sum(build_site.VIEW in one.get("data", {}) for one in outputs) > 0
    for place in places:
        traits = saved_state(page)[place["data-widget"]]
        assert traits == saved[place["data-widget"]]["state"]
        assert "as default" in traits["_esm"]


def test_the_page_is_the_notebook_without_its_set_up(lesson):
    source, page = lesson
    words = " ".join(page.main.get_text().split())
    for cell in source.cells:
        if cell.cell_type == "code":
            shown = " ".join(cell.source.split()) in words
            assert shown == (cell.source != links.setup_cell())
    headings = [heading.get_text() for heading in page.select("h1, h2")]
    assert headings[0] == source.cells[0].source.splitlines()[0].removeprefix("# ")
    assert "Take along" in headings
    assert "$" not in page.main.get_text(), "nothing on the page sets formulas"


def test_title_language_and_width_are_set(lesson):
    _, page = lesson
    assert page.html["lang"] == "en"
    assert page.title.string.startswith(page.h1.get_text())
    assert "width=device-width" in page.find("meta", attrs={"name": "viewport"})["content"]


def test_every_picture_is_described(lesson):
    _, page = lesson
    pictures = page("img")
    assert pictures
    for picture in pictures:
        assert len(picture["alt"].split()) > 5
        assert "No description" not in picture["alt"]


def test_links_lead_into_the_repository_or_out(lesson):
    _, page = lesson
    ours = f"https://github.com/{links.slug()}/blob/HEAD/"
    targets = [link["href"] for link in page.main("a")]
    assert any(target.startswith(f"{ours}notebooks/0") for target in targets)
    for target in targets:
        assert target.startswith("https://")
        if target.startswith(ours):
            assert (ROOT / target.removeprefix(ours).partition("#")[0]).exists()


def test_pages_lead_to_each_other(tmp_path):
    build_site.main(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == set(build_site.PAGES.values())
    for path in tmp_path.iterdir():
        page = BeautifulSoup(path.read_text(encoding="utf-8"), "html.parser")
        others = {link["href"] for link in page.select("nav a")}
        assert others == set(build_site.PAGES.values()) - {path.name}


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


def test_a_figure_has_the_description_of_its_cell():
    source = notebook()
    figure = new_output("display_data", data={"image/png": "BBBB"})
    alt = {"alt": "A curve that falls."}
    source.cells.insert(2, new_code_cell("plot", outputs=[figure], metadata=alt))
    assert exported(source)("img")[1]["alt"] == "A curve that falls."


def test_the_page_has_the_colours_of_its_widgets():
    own = (ROOT / "tools/page.css").read_text(encoding="utf-8")
    used = set(re.findall(r"var\((--[\w-]+)\)", own))
    known = dict(
        re.findall(r"(--[\w-]+): (light-dark\([^)]*\)|var\(--soft\));", build_site.style())
    )
    assert used >= {"--ground", "--ink", "--soft", "--accent"}
    assert used <= set(known)
    light = dict(re.findall(r"(--[\w-]+): light-dark\((#\w+)", build_site.style()))
    assert (light["--ground"], light["--ink"]) == (plots_style.GROUND, plots_style.INK)


def test_what_is_folded_stays_in_its_fold():
    source = notebook()
    text = "<details><summary>Open</summary>\n\nThe answer.\n\n- An item.\n</details>\n\nOut."
    source.cells.append(new_markdown_cell(text))
    fold = exported(source).find("details")
    assert "The answer" in fold.get_text()
    assert "An item" in fold.get_text()
    assert "Out." not in fold.get_text()


def test_a_formula_is_set_without_a_script():
    source = notebook()
    source.cells.append(new_markdown_cell("Here is $y=x+F(x)$, and\n\n$$\\tfrac12 q$$\n\n`$5`"))
    page = exported(source)
    inline, displayed = page("math")
    assert [part.get_text() for part in inline("mi")] == ["y", "x", "F", "x"]
    assert displayed["display"] == "block"
    assert displayed.find("mfrac")
    assert page.find("code", string="$5")


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
def test_a_notebook_without_its_widget_is_refused(broken, tmp_path):
    nbformat.write(broken(), tmp_path / "01.ipynb")
    with pytest.raises(ValueError, match=r"01\.ipynb: .*run `make notebooks`"):
        build_site.export(tmp_path / "01.ipynb", tmp_path / "site/index.html")
    assert not (tmp_path / "site").exists()


def test_it_writes_the_page_and_nothing_else(tmp_path):
    nbformat.write(notebook(), tmp_path / "01.ipynb")
    target = tmp_path / "site/index.html"
    for _ in range(2):  # an older page is replaced
        build_site.export(tmp_path / "01.ipynb", target)
    assert list(target.parent.iterdir()) == [target]
    assert target.read_text(encoding="utf-8").endswith("</html>\n")


def test_a_page_half_written_is_taken_away(tmp_path):
    target = tmp_path / "index.html"
    target.write_text("older", encoding="utf-8")
    with pytest.raises(UnicodeEncodeError):
        build_site.write(target, "half \ud800")
    assert [path.read_text(encoding="utf-8") for path in tmp_path.iterdir()] == ["older"]
