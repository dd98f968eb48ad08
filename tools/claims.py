"""Say of every number in the notebooks' prose what holds it.

``python tools/claims.py [notebook ...]`` prints a line for each, and fails where nothing holds one.
tools/NUMBERS.md tells authors how a number is bound or declared.
"""

import ast
import re
import sys
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, lru_cache
from pathlib import Path

import nbformat

ROOT = Path(__file__).parent.parent
UNBOUND = "UNBOUND"

# What counts as a number. Words below ten are language, and so are "half" and "twice".
UNITS = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
TEENS = ["thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]
TEENS = ["ten", "eleven", "twelve", *TEENS]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
SMALL = {word: value for value, word in enumerate(UNITS, start=1)}
LARGE = {word: value for value, word in enumerate(TEENS, start=10)} | {"dozen": 12}
LARGE |= {word: 10 * value for value, word in enumerate(TENS, start=2)}
SCALES = {"hundred": 100, "thousand": 10**3, "million": 10**6, "billion": 10**9}
ORDINALS = {"twelfth": "twelve"} | {f"{word[:-1]}ieth": word for word in TENS}
ORDINALS |= {f"{word}th": word for word in [*TEENS, *SCALES]}
PLURALS = {f"{word}s": word for word in [*ORDINALS, *SCALES, "dozen"]}
SMALL_WORD = "|".join(SMALL)
SCALE_WORD = "|".join(SCALES)
LARGE_WORD = "|".join(sorted({*LARGE, *SCALES, *ORDINALS, *PLURALS}, key=len, reverse=True))
WORDS = (
    rf"\b(?:(?:{SMALL_WORD})[\s-]+(?=(?:{SCALE_WORD})))?(?:{LARGE_WORD})"
    rf"(?:[\s-]+(?:{LARGE_WORD}|{SMALL_WORD}))*(?=\b|fold)"
)
# Digits in a name (L2, float32) are letters; "x7", "_7_" and ".7" are still numbers.
DIGITS = (
    r"(?<![^\W_x])(?<!\d\.)[-−]?"
    r"(?:\d+/[1-9]\d*|(?:(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+)(?:\.\d+)?|\.\d+)(?:[eE][-+−]?\d+)?)"
)
# These have no value here, so nothing can hold them: write 1e-9, 0.5.
SPECIAL = "[²³¹¼-¾⁰-⁹⅐-⅞]+"
ANY = rf"(?:{DIGITS}(?:\s+(?:{SCALE_WORD}))?|{WORDS}|{SPECIAL})"
NUMBER = re.compile(ANY, re.IGNORECASE)

# A share or a ratio is a result: it can be bound, cited or declared, but a size beside it that
# happens to be equal does not hold it. "6.6 and 6.4 %" makes a share of both.
LIST = rf"(?:\s*(?:,|and|or|to|against|–|-)\s*{ANY})*\s*"
SHARE = re.compile(LIST + r"(?:%|per\s*cent)", re.IGNORECASE)
RATIO = re.compile(LIST + r"(?:times\b|[x×](?!\s*\d)|-?fold\b)", re.IGNORECASE)

# Numbers that say by their form what they are.
YEAR = r"(?:19|20)\d\d"
PLACE = r"\d+(?:\.\d+)*"
FORMS = {
    "citation": rf"(?:et al\.|[A-Z]\w+ and [A-Z]\w+)\s+\(?{YEAR}\b|\b[A-Z]\w+\s+\({YEAR}[,)]",
    "place": r"(?i:section|figure|table|equation|notebook|exercise|question)"
    rf"(?:s\s+{PLACE}(?:(?:,|\s+and)\s+{PLACE})*|\s+{PLACE})",
    "title": r"^#\s\d\s·|\[\d\s·",
    "list item": r"^\s*\d\.\s|\(\d\)",
    "minutes": r"Time:\s+\d+\s+minutes|\(\d+\s+min\)",
    "name": r"\b(?:[A-Z]\w*|plain|residual)-\d+\b",
    "version": rf"\b(?:Python|TensorFlow|Keras|NumPy|JupyterLab)\s+{PLACE}|arXiv:{PLACE}",
    "bits": r"\b\d+[-\s]bits?\b",
    "height x width": r"\b\d+(?:\s?[x×]\s?\d+)+",
    "depth of a network": rf"(?i:{ANY}-layers?\b)",
    "power": r"powers?\s+of\s+(?:ten|10|two|2)\b",
}

COMMENT = re.compile(r"<!--(.*?)-->", re.DOTALL)
NOT_PROSE = re.compile(
    r"```.*?```|<!--.*?-->|(?<=\])\([^)]*\)|https?://[^\s)>]+|</?[a-zA-Z][^>]*>", re.DOTALL
)
SPAN = re.compile(r"(`+|\$+)(.+?)\1", re.DOTALL)
EMPHASIS = re.compile(r"(?<=\S)[*`$]|[*`$](?=\S)")
# Where a sentence, a bullet or a table cell ends, and a comment's reach with it.
STOP = re.compile(r"(?<!\bal)[.:;?!][)\"']*\s|\n\s*\n|\n\s*(?:[-*+]|\d+\.)\s|\|")


@dataclass(frozen=True)
class Number:
    """A number in prose: where it stands, its kind, and what holds it or why nothing does."""

    cell: str
    start: int
    text: str
    context: str
    kind: str
    by: str


def blank(match):
    return " " * len(match[0])


def without_formulas(match):
    """A span of code or mathematics, blank if it is more than a number or ``name = number``."""
    rest = re.sub(rf"\\[A-Za-z]+|^\s*[\w.]+\s*[=<>≈]+|{DIGITS}", "", match[2])
    return blank(match) if re.search(r"[^\W\d_]", rest) else match[0]


def readable(source):
    """The prose of a cell, everything else blank, so that places stay."""
    return EMPHASIS.sub(" ", SPAN.sub(without_formulas, NOT_PROSE.sub(blank, source)))


def spelled(words):
    """The value of number words, and whether they are ordinal."""
    total = current = 0
    ordinal = False
    for word in re.findall("[a-z]+", words.lower()):
        word = PLURALS.get(word, word)
        ordinal = word in ORDINALS
        word = ORDINALS.get(word, word)
        if word == "hundred":
            current = max(current, 1) * 100
        elif word in SCALES:
            total, current = total + max(current, 1) * SCALES[word], 0
        else:
            current += (SMALL | LARGE)[word]
    return Fraction(total + current), ordinal


def values(match):
    """What a number may be equal to: 1.2 per cent is 1.2 or 0.012, a tenth is 10 or 1/10."""
    if re.fullmatch(SPECIAL, match[0]):
        return set()
    if re.search(r"\d", match[0]):
        digits, *scale = match[0].replace("−", "-").replace(",", "").split()
        value = Fraction(digits) * (SCALES[scale[0].lower()] if scale else 1)
        ordinal = False
    else:
        value, ordinal = spelled(match[0])
    shares = {value / 100} if SHARE.match(match.string, match.end()) else set()
    return {value} | shares | ({1 / value} if ordinal else set())


def literals(node):
    """The numbers written in code outside its assertions; an index is none."""
    match node:
        case ast.Assert():
            return
        case ast.Constant(value=bool()):
            return
        case ast.Constant(value=int() | float() as value):
            yield Fraction(repr(value))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield from (-value for value in literals(operand))
        case ast.Subscript(value=value):
            yield from literals(value)
        case _:
            for child in ast.iter_child_nodes(node):
                yield from literals(child)


def operands(node):
    """The numbers that a comparison compares with: no argument of a call but that of ``abs``."""
    match node:
        case ast.Constant():
            yield from literals(node)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            yield from (-value for value in operands(operand))
        case ast.Call(func=ast.Name(id="abs"), args=[inner]):
            yield from operands(inner)
        case ast.BinOp() | ast.Tuple() | ast.List() | ast.Set() | ast.Dict():
            for child in ast.iter_child_nodes(node):
                yield from operands(child)


def comparisons(test):
    """What has to hold for a test to hold: lists of the sides compared."""
    match test:
        case ast.BoolOp(op=ast.And(), values=parts):
            for part in parts:
                yield from comparisons(part)
        case ast.Compare(ops=ops) if not any(
            isinstance(op, ast.NotEq | ast.NotIn | ast.IsNot) for op in ops
        ):
            yield [test.left, *test.comparators]
        case ast.Call(func=ast.Attribute(attr="isclose" | "allclose" | "array_equal")):
            yield test.args
        case ast.Call(func=ast.Name(id="all"), args=[ast.GeneratorExp(elt=inner)]):
            yield from comparisons(inner)
        case ast.Call(func=ast.Attribute(attr="all", value=inner)):
            yield from comparisons(inner)


def assertions(body):
    """The assertions that run whenever the cell does."""
    for node in body:
        if isinstance(node, ast.Assert):
            yield node.test
        elif isinstance(node, ast.For | ast.With):
            yield from assertions(node.body)


def has_name(sides):
    """``7 == 7`` measures nothing."""
    return any(isinstance(node, ast.Name) for side in sides for node in ast.walk(side))


@cache
def asserted(code):
    """The numbers that a cell's assertions compare something with."""
    tests = assertions(ast.parse(code).body)
    compared = [sides for test in tests for sides in comparisons(test) if has_name(sides)]
    return {value for sides in compared for side in sides for value in operands(side)}


@cache
def given(code):
    """The sizes that a cell's author chose: the numbers it has outside its assertions."""
    return set(literals(ast.parse(code)))


def beside(notebook, index):
    """The code next to a cell of prose: the nearest cells without prose between, either side."""
    found = []
    for direction in (notebook.cells[:index][::-1], notebook.cells[index + 1 :]):
        run = []
        for cell in direction:
            if cell.cell_type == "code":
                run.append(cell)
            elif run:
                break
        found += run
    return found


def held(match, cells, kinds=("size", "bound")):
    """The first of the kinds that the code in these cells makes of a number, and the cell.

    A size comes first: "50 layers" is no claim because some ratio was asserted to be below 50.
    """
    wanted = values(match)
    result = any(mark.match(match.string, match.end()) for mark in (SHARE, RATIO))
    for kind in ["bound"] if result else kinds:
        for cell in cells:
            if wanted & {"size": given, "bound": asserted}[kind](cell.source):
                return kind, cell.id
    return UNBOUND, "no assertion compares with it" if result else "not in the code beside it"


def sources(notebook):
    """The entries of the section "Sources"."""
    prose = "\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    section = re.search(r"^## Sources\n(.*?)(?=^#|\Z)", prose, re.DOTALL | re.MULTILINE)
    return re.split(r"^- ", readable(section[1]), flags=re.MULTILINE) if section else []


def is_listed(citation, notebook):
    named = re.match(rf"([A-Z][\w-]+)\b.*?\b({YEAR})\b", citation)
    if not named:
        return False
    entry = re.compile(rf"{named[1]}\b.*\b{named[2]}\b", re.DOTALL)
    return any(entry.match(source) for source in sources(notebook))


def declared(comment, match, notebook):
    """The kind of a number by the comment behind it."""
    kind, _, about = (part.strip() for part in " ".join(comment.split()).partition(":"))
    if kind == "cell":
        cells = [cell for cell in notebook.cells if (cell.id, cell.cell_type) == (about, "code")]
        known = held(match, cells, ("bound", "size"))
        return known if cells else (UNBOUND, f"there is no code cell {about!r}")
    if kind == "cited":
        listed = is_listed(about, notebook)
        return ("cited", about) if listed else (UNBOUND, f"not among the Sources: {about!r}")
    if kind == "year" and not re.fullmatch(YEAR, match[0]):
        return UNBOUND, "a year has four digits, from 19 or 20 on"
    if kind in ("size", "sizes", "year", "formula"):
        return kind.removesuffix("s"), "declared"
    return UNBOUND, f"a comment declares size, sizes, year, formula, cited: or cell:, not {kind!r}"


@lru_cache(maxsize=1)  # the numbers of one text are asked for one after the other
def forms(text):
    """The name of each form that the text has somewhere, its start and its end."""
    return [
        (name, *found.span())
        for name, pattern in FORMS.items()
        for found in re.finditer(pattern, text, re.MULTILINE)
    ]


def form(match):
    """The name of the form that a number has, if it has one."""
    for name, start, end in forms(match.string):
        if start <= match.start() and match.end() <= end:
            return name
    return None


def numbers_in(notebook, index):
    """All numbers in one cell of prose, and the comments there that declare none."""
    cell = notebook.cells[index]
    text = readable(cell.source)

    def number(start, end, kind, by):
        context = " ".join(COMMENT.sub("", cell.source[max(0, start - 30) : end + 30]).split())
        return Number(cell.id, start, cell.source[start:end], context, kind, by)

    found, open_ = [], []
    for match in NUMBER.finditer(text):
        name = form(match)
        if name:
            found.append(number(*match.span(), "form", name))
        else:
            open_.append(match)
    for comment in COMMENT.finditer(cell.source):
        # At the start of a line it would end the paragraph.
        line = cell.source[: comment.start()].rpartition("\n")[2]
        stops = [stop.end() for stop in STOP.finditer(text, 0, comment.start())]
        reach = range(max(stops, default=0), comment.start())
        covered = [match for match in open_ if match.start() in reach]
        if comment[1].strip() in ("size", "year"):
            covered = covered[-1:]
        if not covered or not line.strip():
            why = "declares no number" if line.strip() else "starts a line"
            found.append(number(*comment.span(), UNBOUND, f"the comment {why}"))
            continue
        for match in covered:
            open_.remove(match)
            found.append(number(*match.span(), *declared(comment[1], match, notebook)))
    cells = beside(notebook, index)
    found += [number(*match.span(), *held(match, cells)) for match in open_]
    return sorted(found, key=lambda number: number.start)


def numbers(notebook):
    return [
        number
        for index, cell in enumerate(notebook.cells)
        if cell.cell_type == "markdown"
        for number in numbers_in(notebook, index)
    ]


def main():
    paths = sys.argv[1:] or sorted(map(str, ROOT.glob("notebooks/*.ipynb")))
    faults = 0
    for path in paths:
        found = numbers(nbformat.read(path, as_version=4))
        print(f"\n{Path(path).name}")
        for number in found:
            text = " ".join(number.text.split())
            print(f"{text:>20}  {number.kind:8}{number.by:31}{number.cell:16}{number.context}")
        kinds = [number.kind for number in found]
        print(
            f"  {len(kinds)} numbers, {kinds.count('bound')} bound, {kinds.count(UNBOUND)} unbound"
        )
        faults += kinds.count(UNBOUND)
    return int(faults > 0)


if __name__ == "__main__":
    sys.exit(main())
