"""How Sphinx builds the lesson's pages; `make site` calls it through tools/build_site.py."""

import links

project = "A lesson on residual networks"
author = copyright = "the resnet-lesson authors"
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "web.formulas",
    "web.policy",
    "web.widgets",
    "web.words",
]
html_title = project
html_theme = "sphinx_book_theme"
html_theme_options = {
    "repository_url": f"https://github.com/{links.slug()}",
    "use_repository_button": True,
    "use_download_button": False,
    "use_fullscreen_button": False,
    "home_page_in_toc": True,
    "show_toc_level": 2,
    "back_to_top_button": False,
    # The search stands beside the contents, and on a phone above the page.
    "navbar_persistent": [],
}
html_context = {"default_mode": "auto"}
html_favicon = "favicon.svg"
html_css_files = ["lesson.css"]
html_js_files = [("lesson.js", {"defer": "defer"})]
html_math_renderer = "mathml"
html_copy_source = False
html_use_index = False
# A page from a file cannot fetch others to quote them.
html_show_search_summary = False
nb_execution_mode = "off"
nb_merge_streams = True
myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3
# A cell's outputs may open with a heading of its own level.
suppress_warnings = ["myst.header"]
# Docstrings write code as Markdown does.
default_role = "code"
add_module_names = False
# As they are written: a value could be a path of the machine that builds.
autodoc_preserve_defaults = True
autodoc_typehints = "description"
autodoc_typehints_description_target = "documented"
