"""What a reader of a notebook meets: words, code, figures, guesses, and the time that they take.

``python tools/reading.py [notebook ...]`` prints a line for each notebook.
"""

import ast
import copy
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import measured
import nbformat

ROOT = Path(__file__).parent.parent
END = "## Take along"  # what comes behind it, each reader takes at their own pace
NOT_READ = re.compile(r"<details>\s*<summary>A closer look.*?</details>", re.DOTALL)
NOT_SENTENCES = re.compile(
    r"```[\s\S]*?```|^\s*\|.*$|^#.*$|<[^>]*>|^\*\*(?:Time|You need):?\*\*.*$", re.MULTILINE
)
# "et al. 2016" and "e.g. this" go on.
ENDS = re.compile(r"(?<!\bal)(?<!e\.g)(?<!i\.e)[.!?]+[*_)\"”]*(?=\s|$)")
TIMES = r"\*\*Time:\*\* (\d+) minutes, (\d+) with"
SKIPPED = "*(you can skip this)*"
MEASURES = {"words a minute": 100, "lines a minute": 15, "minutes a figure": 1.5}


@dataclass(frozen=True)
class Reading:
    """Counts of one notebook. Sentences are those of the whole, time is up to its summary."""

    minutes: float
    stated: int
    route: float  # minutes without what can be skipped
    route_stated: int
    guesses: int
    longest: int  # lines of a visible cell
    asserting: float  # share of the visible lines of code
    only_assert: list[str]  # visible cells that do nothing else
    sentences: int
    mean_length: float  # words
    with_colon: float  # share of sentences with a colon or a semicolon
    crowded: list[str]  # sentences with more than two numbers
    brackets: list[str]  # answers that are the number of an option
    captions: list[str]  # paragraphs in italics under a picture


def is_visible(cell: Any) -> bool:
    return cell.cell_type == "code" and not cell.metadata.get("jupyter", {}).get("source_hidden")


def lines(cell: Any) -> list[str]:
    return [line for line in cell.source.splitlines() if line.strip()]


def asserting(cell: Any) -> int:
    """Lines of code that belong to an assertion."""
    found = [node for node in ast.walk(ast.parse(cell.source)) if isinstance(node, ast.Assert)]
    return sum((node.end_lineno or node.lineno) - node.lineno + 1 for node in found)


def sentences(source: str) -> list[str]:
    """The sentences of a cell of prose; each item of a list begins one."""
    found = []
    for paragraph in re.split(r"\n\s*\n|\n(?=\s*(?:[-*]|\d+\.)\s)", NOT_SENTENCES.sub("", source)):
        text = " ".join(paragraph.split())
        begin = 0
        for end in ENDS.finditer(text):
            found.append(text[begin : end.end()].strip())
            begin = end.end()
        found.append(text[begin:].strip())
    return [one for one in found if len(one.split()) > 1 or "(" in one]


def numbers(sentence: str) -> list[str]:
    return [match[0] for match in measured.NUMBER.finditer(measured.prose(sentence))]


def read(notebook: Any) -> Reading:
    """The counts of a notebook."""
    prose = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    said = [sentence for source in prose for sentence in sentences(source)]
    visible = [cell for cell in notebook.cells if is_visible(cell)]
    code = [line for cell in visible for line in lines(cell)]
    times = re.search(TIMES, prose[0])
    route_stated, stated = map(int, times.groups()) if times else (0, 0)
    return Reading(
        minutes=minutes(notebook),
        stated=stated,
        route=minutes(without_skipped(notebook)),
        route_stated=route_stated,
        guesses=sum(map(is_guess, notebook.cells)),
        longest=max((len(cell.source.splitlines()) for cell in visible), default=0),
        asserting=sum(map(asserting, visible)) / max(1, len(code)),
        only_assert=[cell.id for cell in visible if 0 < len(lines(cell)) == asserting(cell)],
        sentences=len(said),
        mean_length=sum(len(one.split()) for one in said) / max(1, len(said)),
        with_colon=sum(bool(re.search(r"[:;](\s|$)", one)) for one in said) / max(1, len(said)),
        crowded=[one for one in said if len(numbers(one)) > 2],
        brackets=[one for one in said if re.match(r"\**\(\d\)\.?\**[.:,]?\s", one + " ")],
        captions=[source for source in prose if re.match(r"\*[^*\s]", source.lstrip("> "))],
    )


def is_guess(cell: Any) -> bool:
    return "guess" in cell.metadata.get("tags", [])


def without_skipped(notebook: Any) -> Any:
    """The notebook without the sections whose titles say that they can be skipped."""
    kept, skipping = copy.copy(notebook), False
    kept.cells = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            skipping = SKIPPED in cell.source.splitlines()[0]
        if not skipping:
            kept.cells.append(cell)
    return kept


def minutes(notebook: Any) -> float:
    """How long it takes up to its summary; a closer look is not taken."""
    total = 0.0
    for cell in notebook.cells:
        if cell.source.startswith(END):
            break
        if cell.cell_type == "markdown":
            total += len(NOT_READ.sub("", cell.source).split()) / MEASURES["words a minute"]
            continue
        pictures = [o for o in cell.outputs if "image/png" in o.get("data", {})]
        total += MEASURES["minutes a figure"] * len(pictures)
        if is_visible(cell):
            total += len(lines(cell)) / MEASURES["lines a minute"]
        total += is_guess(cell)
    return total


def told(name: str, found: Reading) -> str:
    """One notebook's counts, in lines."""
    return (
        f"\n{name}: {found.route:.0f} minutes, stated {found.route_stated}; "
        f"{found.minutes:.0f} with what can be skipped, stated {found.stated}; "
        f"{found.guesses} guesses\n"
        f"  code: longest cell {found.longest} lines, {found.asserting:.0%} of lines assert, "
        f"{len(found.only_assert)} cells only assert\n"
        f"  prose: {found.sentences} sentences of {found.mean_length:.0f} words; "
        f"{found.with_colon:.0%} with a colon or semicolon; "
        f"{len(found.crowded)} with more than two numbers; "
        f"{len(found.brackets)} answers in brackets; {len(found.captions)} captions in italics"
    )


def main() -> int:
    for path in map(Path, sys.argv[1:] or sorted(map(str, ROOT.glob("notebooks/*.ipynb")))):
        found = read(nbformat.read(path, as_version=4))
        print(told(path.stem, found))
        for sentence in found.crowded + found.brackets + found.captions:
            print(f"    - {sentence[:160]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
