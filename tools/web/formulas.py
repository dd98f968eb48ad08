"""Formulas in MathML, which a browser sets by itself: no script, and nothing to fetch."""

from docutils import nodes
from latex2mathml.converter import convert


def inline(translator, node):
    translator.body.append(convert(node.astext()))
    raise nodes.SkipNode


def displayed(translator, node):
    formula = convert(node.astext(), display="block")
    # A phone scrolls it, and so does a keyboard that can reach it.
    translator.body.append(f'<div class="formula" tabindex="0">{formula}</div>')
    raise nodes.SkipNode


def setup(app):
    app.add_html_math_renderer("mathml", (inline, None), (displayed, None))
    return {"parallel_read_safe": True}
