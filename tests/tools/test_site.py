"""The site's pages, as Sphinx wrote them: nothing is missing, and nothing leads nowhere."""

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

import nbformat
import pytest
from bs4 import BeautifulSoup
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output

from resnet_lesson import ArchitectureBuilder, GradientExplorer, LesionExplorer, TrainingPanel
from resnet_lesson.exercises import vanishing_gradients

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "tools"))
import build_site  # noqa: E402
import links  # noqa: E402
from web import lessons, policy, widgets, words  # noqa: E402

pytestmark = pytest.mark.slow

WIDGETS = (ArchitectureBuilder, GradientExplorer, LesionExplorer, TrainingPanel)
LESSONS = [path.stem for path in sorted((ROOT / "notebooks").glob("*.ipynb"))]
MOST_BYTES = 15_000_000


@pytest.fixture(scope="module")
def pages(site):
    return {
        path.relative_to(site).as_posix(): BeautifulSoup(
            path.read_text(encoding="utf-8"), "html.parser"
        )
        for path in site.rglob("*.html")
        if not path.is_relative_to(site / "_static")
    }


def of(name, pages):
    return pages[f"notebooks/{name}.html"]


def notebook_of(name):
    return nbformat.read(ROOT / f"notebooks/{name}.ipynb", 4)


def targets(page):
    for tag in page.find_all(href=True) + page.find_all(src=True):
        yield tag.get("href") or tag["src"]


def test_every_link_inside_leads_to_a_page_and_a_place_on_it(site, pages):
    checked = 0
    for name, page in pages.items():
        for target in targets(page):
            scheme, host, path, _, fragment = urlsplit(target)
            if scheme or host:
                continue
            found = (site / name).parent / unquote(path) if path else site / name
            found = found / "index.html" if found.is_dir() else found
            assert found.exists(), f"{name}: {target}"
            if fragment and found.suffix == ".html":
                to = pages[found.resolve().relative_to(site.resolve()).as_posix()]
                ids = {tag["id"] for tag in to.find_all(id=True)}
                assert unquote(fragment) in ids, f"{name}: {target}"
            checked += 1
    assert checked > 500


def test_links_into_the_repository_lead_to_its_files(pages):
    ours = f"https://github.com/{links.slug()}/blob/HEAD/"
    found = {
        target.removeprefix(ours).partition("#")[0]
        for page in pages.values()
        for target in targets(page)
        if target.startswith(ours)
    }
    assert "README.md" in found
    assert [path for path in found if not (ROOT / path).exists()] == []


def test_nothing_but_a_link_leads_outside(pages):
    for name, page in pages.items():
        for tag in page.find_all(src=True) + page.select("link[href]"):
            address = tag.get("src") or tag["href"]
            assert address.startswith("data:image/") or not urlsplit(address).scheme, name


def test_it_is_small_and_says_nothing_of_the_machine_that_built_it(site):
    files = [path for path in site.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    for path in files:
        if path.suffix in (".html", ".js", ".css", ".inv"):
            assert str(ROOT).encode() not in path.read_bytes(), path
    assert not any("ipynb" in path.suffix or path.suffix == ".map" for path in files)


@pytest.mark.parametrize("name", LESSONS)
def test_a_page_is_its_notebook_without_what_only_a_kernel_needs(name, pages):
    said = " ".join(of(name, pages).article.get_text().split())
    code = [cell for cell in notebook_of(name).cells if cell.cell_type == "code"]
    shown = [" ".join(cell.source.split()) in said for cell in code]
    assert shown == [cell.source != links.setup_cell() for cell in code]
    assert not all(shown)
    assert "$" not in said, "nothing on the page sets formulas"


@pytest.mark.parametrize("name", LESSONS)
def test_every_picture_is_described(name, pages):
    pictures = of(name, pages).article("img")
    assert pictures
    for picture in pictures:
        assert len(picture["alt"].split()) > 5
        assert "No description" not in picture["alt"]


@pytest.mark.parametrize("name", LESSONS)
def test_a_page_has_contents_neighbours_and_places_to_run_it(name, pages):
    page = of(name, pages)
    assert page.select("nav.page-toc a")
    assert page.select("a.right-next")
    assert page.select("a.left-prev")
    to = [link["href"] for link in page.select(".what a.launch")]
    assert len(to) == 3
    assert all(name in address and links.slug() in address for address in to[:2])


@pytest.mark.parametrize("name", LESSONS)
def test_words_lead_to_the_glossary_where_they_are_first_used(name, pages):
    source = (ROOT / "docs/glossary.md").read_text(encoding="utf-8")
    groups = {tuple(group) for group in words.entries(source).values()}
    found = [
        link.get_text().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")  # as Sphinx sets it
        for link in of(name, pages).select("a:has(> .term)")
    ]
    assert len(found) > 10
    entry = [group for word in found for group in groups if word.lower() in map(str.lower, group)]
    assert len(entry) == len(set(entry)) == len(found)


@pytest.mark.parametrize("name", LESSONS)
def test_each_widget_has_its_saved_traits_beside_the_page(name, pages, site):
    saved = lessons.saved_traits(notebook_of(name))
    places = of(name, pages).select("[data-widget]")
    assert len(places) == len(saved)
    for place in places:
        script = site / "_static" / widgets.FOLDER / f"{place['data-traits']}.js"
        traits = script.read_text(encoding="utf-8")
        assert "_esm" not in traits, "the page has the script of all widgets"
        assert any(widgets.script(place["data-traits"], one) == traits for one in saved.values())
        assert place.img or place.p, "nothing stands in where there is no JavaScript"


@pytest.mark.parametrize("name", LESSONS)
def test_a_notebook_has_saved_the_widgets_of_today(name):
    ours = {(widget._esm, widget._css) for widget in WIDGETS}
    for saved in lessons.saved_traits(notebook_of(name)).values():
        assert (saved["_esm"], saved["_css"]) in ours, "run `make notebooks`"


def test_the_policy_allows_what_the_page_has_and_no_more(pages):
    for name, page in pages.items():
        (rule,) = page.select("meta[http-equiv=Content-Security-Policy]")
        assert "'unsafe-eval'" not in rule["content"]
        assert "script-src 'self' 'wasm-unsafe-eval' 'sha256-" in rule["content"], name
        assert page.find("script").find_previous("meta", attrs={"http-equiv": True}) is not None


def test_a_hash_is_that_of_the_script():
    page = "<head></head><script>1 + 1</script><script src='a.js'></script>"
    # echo -n '1 + 1' | openssl dgst -sha256 -binary | base64
    digest = "cvzllEegH0iLEWnS10JnnP4waol3LWf+8Bi8/pVDH2g="
    assert policy.policy(page).count("sha256-") == 1
    assert f"'sha256-{digest}'" in policy.policy(page)


def notebook(**metadata):
    """A notebook that shows one widget with a saved state, and asks for an answer."""
    view = {
        lessons.VIEW: {"model_id": "abc", "version_major": 2, "version_minor": 0},
        "image/png": "AAAA",
        "text/plain": 'a <widget> & its "words"',
    }
    exercise = "from resnet_lesson.exercises import vanishing_gradients as exercises"
    cells = [
        new_markdown_cell("# Title & more\n\nText."),
        new_code_cell("explorer", outputs=[new_output("execute_result", data=view)]),
        new_code_cell(exercise),
        new_code_cell("exercises.leaky.check(...)"),
    ]
    state = {"_anywidget_id": "x.GradientExplorer", "_esm": "module", "note": "</script>"}
    saved = {lessons.STATE: {"state": {"abc": {"state": state}}}}
    return new_notebook(cells=cells, metadata={"widgets": saved} | metadata)


def test_words_cannot_break_a_page(tmp_path):
    page = lessons.page(notebook(), "01.ipynb", tmp_path)
    text = page.cells[1].outputs[0].data["text/html"]
    (place,) = BeautifulSoup(text, "html.parser").select("[data-widget]")
    (image,) = place("img")
    assert image["alt"] == 'a <widget> & its "words"'
    assert place["data-name"] == "explorer-1"
    (script,) = (tmp_path / widgets.FOLDER).iterdir()
    assert script.read_text(encoding="utf-8").endswith('{"note":"</script>"});\n')


def test_a_check_has_hints_and_the_solution_in_place_of_a_verdict(tmp_path):
    page = lessons.page(notebook(), "01.ipynb", tmp_path)
    text = BeautifulSoup(page.cells[-1].outputs[0].data["text/html"], "html.parser")
    assert "needs a kernel" in text.get_text()
    titles = [title.get_text() for title in text("summary")]
    hints = vanishing_gradients.leaky.hints
    assert titles == [f"Hint {at}" for at in range(1, len(hints) + 1)] + ["One solution"]
    assert vanishing_gradients.leaky.solution_code() in text.get_text()


def test_a_folder_with_files_of_others_is_left_alone(tmp_path):
    (tmp_path / "thesis.tex").write_text("words", encoding="utf-8")
    with pytest.raises(SystemExit, match="must be empty or an older site"):
        build_site.main(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_an_older_site_is_replaced_whole(tmp_path):
    made, output = tmp_path / "made", tmp_path / "site"
    for folder, name in ((made, "new.html"), (output, "old.html")):
        folder.mkdir()
        (folder / "searchindex.js").touch()
        (folder / name).touch()
    (made / "page.css.map").touch()
    (tmp_path / "site.part").mkdir()  # of a build that was interrupted
    assert build_site.may_be_replaced(output)
    build_site.put(made, output)
    assert {path.name for path in output.iterdir()} == {"searchindex.js", "new.html"}
    assert {path.name for path in tmp_path.iterdir()} == {"made", "site"}


def test_a_notebook_without_its_widgets_traits_is_refused(tmp_path):
    bare = notebook(widgets={})
    with pytest.raises(ValueError, match="run `make notebooks`"):
        lessons.page(bare, "01.ipynb", tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("[a](02_identity_shortcut.ipynb)", "[a](02_identity_shortcut.ipynb)"),
        (
            "[a](01_vanishing_gradients.ipynb#The-words-of-the-lesson)",
            "[a](01_vanishing_gradients.ipynb#the-words-of-the-lesson)",
        ),
        ("[a](../docs/teachers.md)", "[a](../docs/teachers.md)"),
        ("[a](../README.md#commands)", "[a](https://github.com/o/r/blob/HEAD/README.md#commands)"),
        ("[a](https://a.b/c.md)", "[a](https://a.b/c.md)"),
        ("![a](images/mistakes.png)", "![a](images/mistakes.png)"),
        ("[a](mailto:a@b.c)", "[a](mailto:a@b.c)"),
        ("`layers[0](x)`", "`layers[0](x)`"),
        ("```python\nlayers[0](x)\n```", "```python\nlayers[0](x)\n```"),
    ],
)
def test_links_stay_on_the_site_where_it_has_the_page(monkeypatch, written, meant):
    monkeypatch.setattr(links, "slug", lambda: "o/r")
    assert build_site.linked(written, Path("notebooks/01_vanishing_gradients.ipynb")) == meant
