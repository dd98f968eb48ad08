"""A page that holds one widget and nothing else, beside the script of the site's pages."""

import build_site
from web import widgets

PAGE = """<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>A widget</title><link rel="icon" href="data:,">
<style>
:root {{ color-scheme: light dark }}
body {{ max-width: 46rem; margin: 0 auto; padding: 1rem }}
</style>
<link rel="stylesheet" href="_static/lesson.css"><script defer src="_static/lesson.js"></script>
</head>
<body><main><h1>A widget</h1>
{widget}
</main></body>
</html>
"""


def write(path, widget):
    """Write a page of the widget, as it is now, to ``path``."""
    static = path.parent / "_static"
    build_site.bundle_page(static)
    path.write_text(PAGE.format(widget=widgets.of(widget, static, "_static")), encoding="utf-8")
    return path
