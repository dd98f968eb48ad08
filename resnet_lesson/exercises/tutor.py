"""An exercise: how it replies to an answer, and shows its hints and its solution.

A check is a function that takes the answer and tries it. It returns words where the answer is
right, and raises a ``Mistake`` where it is not.
"""

import html
import inspect
import re
import reprlib
import sysconfig
import textwrap
import traceback
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from IPython.display import display

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("site-packages", "dist-packages", "__autograph_generated_file", "<frozen ")
STANDARD_LIBRARY = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))


class Mistake(Exception):
    """What is wrong with an answer, in the words of a tutor.

    Args:
        name: of the mistake, by which a repetition is recognised.
        saw: what the check saw, with the answer's own values.
        why: why that matters.
        step: what to try next; not the answer.
        further: one step further, in place of it when the mistake is repeated.
    """

    def __init__(self, name: str, saw: str, why: str, step: str, further: str) -> None:
        super().__init__(saw)
        self.name, self.saw, self.why, self.step, self.further = name, saw, why, step, further


class Unanswered(Exception):
    """There is nothing to check yet; the message says what is missing."""


class Note:
    """Paragraphs for a learner, in the theme's own colours, with a coloured border.

    The first begins with the ``head``, in bold.
    """

    color = "#7c8791"

    def __init__(self, head: str, *words: str) -> None:
        self.head, self.words = head, words

    def __repr__(self) -> str:
        return f"{self.head} " + "\n".join(self.words)

    def _repr_html_(self) -> str:
        paragraphs = "</p><p>".join(map(_to_html, self.words))
        paragraphs = f"<p><b>{_to_html(self.head)}</b> {paragraphs}</p>"
        border = f"border-left: 4px solid {self.color}; padding-left: 12px"
        return f'<div style="{border}; max-width: 44em">{paragraphs}</div>'


class Verdict(Note):
    """The result of a check: ``right``; the ``mistake``'s name, or None; and the words."""

    def __init__(self, head: str, mistake: str | None, *words: str) -> None:
        super().__init__(head, *words)
        self.right, self.mistake = mistake is None, mistake
        # The style sheet's green and purple. Not the only sign: the head has a mark and a word.
        self.color = "#00745a" if self.right else "#99427a"


class Exercise:
    """A question that a learner answers; ``check`` displays the verdict on the answer.

    ``judge`` returns the ``Verdict`` instead, for grading.
    """

    _solution: Callable[..., Any]

    def __init__(self, check: Callable[[Any], str], hints: tuple[str, ...]) -> None:
        self.name, self.question = check.__name__, check.__doc__
        self.hints, self._check = hints, check
        self.forget()

    def forget(self) -> None:
        """Start over: forget the mistakes made and the hints shown."""
        self._mistakes: Counter[str] = Counter()
        self._hints_shown = 0

    def __repr__(self) -> str:
        return f"{self.question} {self.name}.check(answer), .hint(), .solution()"

    def check(self, answer: Any = None) -> None:
        """Try the answer and display the verdict. No answer makes it raise."""
        display(self.judge(answer))

    def judge(self, answer: Any = None) -> Verdict:
        """The ``Verdict`` on an answer; a repeated mistake is explained one step further."""
        try:
            if answer is None or answer is ...:
                raise Unanswered("put your answer where the `...` is, and run the cell again.")
            return Verdict("✓ Right.", None, self._check(answer))
        except Unanswered as missing:
            return Verdict("○ Not answered yet:", "unanswered", str(missing), self._hint_call)
        except Mistake as mistake:
            return self._verdict_on(mistake)
        except KeyboardInterrupt:  # from the learner, to stop a check
            raise
        except BaseException as error:  # a learner's code may raise any kind
            return self._verdict_on(_mistake_of(error))

    def hint(self) -> None:
        """Show the next hint; after the last, the last again."""
        number = self._hints_shown = min(self._hints_shown + 1, len(self.hints))
        words = [self.hints[number - 1]]
        if number == len(self.hints):
            words.append(f"After this one there is `exercises.{self.name}.solution()`.")
        display(Note(f"Hint {number} of {len(self.hints)}:", *words))

    def solution(self) -> None:
        """Show one solution, as code that can be run in a cell of its own."""
        code = self.solution_code()
        display({"text/markdown": f"```python\n{code}```", "text/plain": code}, raw=True)

    def solution_code(self) -> str:
        """The solution as source code; its last line checks it."""
        source = textwrap.dedent(inspect.getsource(self._solution))
        source = source[source.index("def ") :]
        call = "" if inspect.signature(self._solution).parameters else "()"
        return f"{source}\n\nexercises.{self.name}.check({self._solution.__name__}{call})\n"

    def solved_by(self, solution: Callable[..., Any]) -> Callable[..., Any]:
        """Decorate the solution: a function that is the answer, or one without arguments that
        returns it. It imports all that it needs, for its source code is shown by itself."""
        self._solution = solution
        return solution

    def _verdict_on(self, mistake: Mistake) -> Verdict:
        repeated = self._mistakes[mistake.name]
        self._mistakes[mistake.name] += 1
        step = f"One step further: {mistake.further}" if repeated else f"Next: {mistake.step}"
        call = self._hint_call
        if repeated > 1:
            call += f"; one way to do it: `exercises.{self.name}.solution()`"
        return Verdict("✗ Not yet.", mistake.name, mistake.saw, mistake.why, step, call)

    @property
    def _hint_call(self) -> str:
        return f"A hint: `exercises.{self.name}.hint()`"


def exercise(*hints: str) -> Callable[[Callable[[Any], str]], Exercise]:
    """Make an ``Exercise`` of the decorated check, whose docstring is the question."""
    return lambda check: Exercise(check, hints)


def shown(value: Any) -> str:
    """Any value in a few characters."""
    try:
        return reprlib.repr(value)
    except Exception:  # an integer of thousands of digits, say
        return f"<{type(value).__name__}>"


def _mistake_of(error: BaseException) -> Mistake:
    """An exception as a mistake, with the last line of the learner's own code, if any."""
    kind = type(error).__name__
    try:
        message = f"{kind}: {error}".strip(": ")
    except Exception:  # an error whose text cannot be made
        message = kind
    message = textwrap.shorten(message.replace("`", "'"), 300)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_learners(frame)]
    if lines:
        line = (lines[-1].line or "").strip().replace("`", "'")
        place = f"in line {lines[-1].lineno} of your code, `{line}`"
        step = "run that line by itself, with the values it had, and look at each of them."
    else:
        place = "before any line of your own code"
        step = "compare what you passed with what the exercise asks for."
    return Mistake(
        f"raised {kind}",
        f"It stopped {place}: `{message}`",
        "A check tries an answer by using it, and this one could not be used to the end.",
        step,
        "print what goes into that line, its type and its shape; the hint says what should go in.",
    )


def _is_learners(frame: traceback.FrameSummary) -> bool:
    """Whether the code is the learner's: neither the package's nor a library's."""
    path = frame.filename
    in_library = any(part in path for part in LIBRARIES) or path.startswith(STANDARD_LIBRARY)
    # Compiled code has no source line.
    return bool(frame.line) and not in_library and PACKAGE not in Path(path).parents


def _to_html(words: str) -> str:
    """Words as HTML; text between backticks becomes code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(words))
