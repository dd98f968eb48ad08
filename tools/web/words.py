"""Words of the glossary, linked where a lesson uses each for the first time."""

import re

from docutils import nodes
from sphinx import addnodes
from sphinx.transforms import SphinxTransform

# In these a link would be in the way, or no word of the lesson is meant.
CLOSED = (
    *(nodes.title, nodes.reference, addnodes.pending_xref, nodes.emphasis, nodes.raw),
    *(nodes.literal, nodes.literal_block, nodes.math, nodes.math_block),
)
FOLDER = "notebooks/"


def entries(source):
    """For each term of a page's glossary, in small letters, the terms that share its entry."""
    (block,) = re.findall(r"^```\{glossary\}\n(.*?)^```", source, re.DOTALL | re.MULTILINE)
    groups = [
        [line for line in entry.splitlines() if not line.startswith(" ")]
        for entry in block.strip().split("\n\n")
    ]
    return {term.lower(): group for group in groups for term in group}


class LinkTerms(SphinxTransform):
    """Make a cross-reference of the first word that each entry explains."""

    default_priority = 400

    def apply(self, **_):
        if not self.env.docname.startswith(FOLDER):
            return
        source = (self.app.srcdir / "docs/glossary.md").read_text(encoding="utf-8")
        left = entries(source)
        # The longest first, so that no word hides a longer one.
        words = "|".join(re.escape(term) for term in sorted(left, key=len, reverse=True))
        pattern = re.compile(rf"(?<![\w-])(?:{words})(?![\w-])", re.IGNORECASE)
        for text in list(self.document.findall(nodes.Text)):
            if not any(isinstance(each, CLOSED) for each in ancestors(text)):
                link(text, pattern, left, self.env.docname)


def ancestors(node):
    while node.parent is not None:
        node = node.parent
        yield node


def link(text, pattern, left, docname):
    """Put references in the place of words; the entries of these are no longer ``left``."""
    parts, at = [], 0
    for match in pattern.finditer(text):
        group = left.get(match[0].lower(), [])
        if group:
            (term,) = (term for term in group if term.lower() == match[0].lower())
            parts += [nodes.Text(text[at : match.start()]), reference(term, match[0], docname)]
            at = match.end()
            for other in group:
                left.pop(other.lower())
    if parts:
        text.parent.replace(text, [*parts, nodes.Text(text[at:])])


def reference(term, word, docname):
    return addnodes.pending_xref(
        "",
        nodes.inline("", word, classes=["term"]),
        refdomain="std",
        reftype="term",
        reftarget=term,
        refexplicit=True,
        refwarn=True,
        refdoc=docname,
    )


def setup(app):
    app.add_transform(LinkTerms)
    return {"parallel_read_safe": True}
