"""Hold every measured number in the notebooks' prose to the code that measured it.

``python tools/measured.py [notebook ...]`` prints each with what holds it, and fails where nothing
does. The metadata of a Markdown cell say where its numbers come from, so that readers never meet
a mark:

- ``"measured": {"2,900": "three-acts"}``: an assertion in the code cell with this id compares
  with the same number;
- ``"cited": {"6.61": "He et al. 2016, table 2"}``: a work in the notebook's Sources says so.

A share, a ratio or a decimal fraction in digits is a result, and has to be in one of the two; one
that was chosen is written in words, and a rate says that it is one. Sizes, years and counts need
nothing.
"""

import ast
import re
import sys
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import nbformat

ROOT = Path(__file__).parent.parent
NOT_PROSE = re.compile(
    # What a page computes anew is held by tests/tools/test_sentences.py.
    r"<span data-says[^>]*>[^<]*</span>|```.*?```|(?<=\])\([^)]*\)|https?://[^\s)>]+|</?[a-zA-Z][^>]*>|"
    r"`[^`]*[^\W\d_][^`]*`|\$[^$]*[^\W\d_][^$]*\$|"
    # Numbers that say by themselves what they are.
    r"(?:(?:[Ss]ections?|[Tt]ables?|[Ff]igures?|Python|Keras|arXiv:)\s*\d+(?:\.\d+)*"
    r"(?:(?:,|\s+and|\s+or)\s+\d++(?:\.\d+)*+(?!\s*(?:%|per)))*|"
    r"(?<!error )rates?(?:\s+(?:of|from|up\s+to))?\s+\d+(?:\.\d+)*"
    r"(?:(?:,|\s+and|\s+or|\s+to)\s+\d+(?:\.\d+)*)*)",
    re.DOTALL,
)
# Digits in a name (L2, float32, ResNet-110) are letters.
NUMBER = re.compile(
    r"(?<![\w.])(?<!\w-)[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:e-?\d+)?(?=x\b|\W|$)"
)
OTHERS = r"(?:\s*(?:,|and|or|to|against|–|-)\s*[\d.,]*\d)*"  # "6.6 and 6.4 %" makes a share of both
MORE = r"(?:\s+or\s+(?:more|fewer|less))?"
PER_CENT = re.compile(OTHERS + MORE + r"\s*(?:%|per\s*cent)")
RATIO = re.compile(OTHERS + r"\**" + MORE + r"[\s-]*(?:times\b|fold\b|[x×](?!\s*\d))")
FACTOR = re.compile(r"\bfactor\s+of\s+\**$")


def prose(source: str) -> str:
    """The words of a Markdown cell; code, formulas and links are blank, so that places stay."""
    return NOT_PROSE.sub(lambda match: " " * len(match[0]), source)


def value(text: str) -> Fraction:
    return Fraction(text.replace(",", "").replace("−", "-"))


def is_result(match: re.Match) -> bool:
    before, after = match.string[: match.start()], match.string[match.end() :]
    ratio = RATIO.match(after) or FACTOR.search(before)
    return bool("." in match[0] or PER_CENT.match(after) or ratio)


def asserted(code: str) -> set[Fraction]:
    """The numbers that the assertions of a cell compare something with."""
    tests = [node.test for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Assert)]
    sides = [
        side
        for test in tests
        for node in ast.walk(test)
        if isinstance(node, ast.Compare)
        for side in [node.left, *node.comparators]
    ]
    close = [
        argument
        for test in tests
        for node in ast.walk(test)
        if isinstance(node, ast.Call) and getattr(node.func, "attr", "") in ("isclose", "allclose")
        for argument in node.args
    ]
    return {number for side in sides + close for number in literals(side)}


def literals(node: ast.AST) -> Iterator[Fraction]:
    """The numbers of one side of a comparison: no argument of a call but that of ``abs``."""
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            yield Fraction(repr(number))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield from (-number for number in literals(operand))
        case ast.Call(func=ast.Name(id="abs"), args=[inner]):
            yield from literals(inner)
        case ast.BinOp() | ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
            for child in ast.iter_child_nodes(node):
                yield from literals(child)


def numbers(notebook: Any) -> Iterator[tuple[str, str, str]]:
    """(the number, what holds it, what is wrong or "") for each result and each mark."""
    code = {cell.id: cell.source for cell in notebook.cells if cell.cell_type == "code"}
    listed = " ".join(c.source for c in notebook.cells if c.source.startswith("## Sources"))
    for cell in notebook.cells:
        if cell.cell_type != "markdown":
            continue
        found = {match[0]: match for match in NUMBER.finditer(prose(cell.source))}
        measured, cited = (cell.metadata.get(name, {}) for name in ("measured", "cited"))
        for text, place in measured.items():
            yield text, place, _unmeasured(text, found.get(text), code.get(place))
        for text, work in cited.items():
            yield text, work, _uncited(text in found, work, listed)
        for match in NUMBER.finditer(prose(cell.source)):
            if is_result(match) and match[0] not in measured | cited:
                place = " ".join(cell.source[: match.end() + 20][-60:].split())
                yield match[0], cell.id, f"nothing says where it comes from: {place}"


def _unmeasured(text: str, match: re.Match | None, code: str | None) -> str:
    if match is None:
        return "the prose has no such number"
    if code is None:
        return "there is no such code cell"
    shares = {value(text) / 100} if PER_CENT.match(match.string[match.end() :]) else set()
    return "" if ({value(text)} | shares) & asserted(code) else "no assertion there has it"


def _uncited(in_prose: bool, work: str, listed: str) -> str:
    if not in_prose:
        return "the prose has no such number"
    named = re.match(r"([A-Z]\w+)\b.*?\b(\d{4})\b", work)
    known = named and re.search(rf"^- {named[1]}\b.*\b{named[2]}\b", listed, re.MULTILINE)
    return "" if known else "not among the Sources"


def main() -> int:
    faults = 0
    for path in sys.argv[1:] or sorted(map(str, ROOT.glob("notebooks/*.ipynb"))):
        print(f"\n{Path(path).name}")
        for text, holds, wrong in numbers(nbformat.read(path, as_version=4)):
            print(f"{text:>12}  {holds:30} {wrong}".rstrip())
            faults += bool(wrong)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
