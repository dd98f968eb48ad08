"""An exercise: what it says to an answer, to a call for a hint, to a call for its solution.

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
from pathlib import Path

from IPython.display import display

PACKAGE = Path(__file__).parents[1]
LIBRARIES = ("site-packages", "dist-packages", "__autograph_generated_file", "<frozen ")
PLACES = tuple(sysconfig.get_path(name) for name in ("stdlib", "platstdlib"))


class Mistake(Exception):
    """What is wrong with an answer, in the words of a tutor.

    Args:
        name: of the mistake, by which it is recognised when it comes again.
        saw: what the check saw, with the answer's own values.
        why: why that matters.
        step: what to try next; not the answer.
        further: one step further, for when the mistake comes again.
    """

    def __init__(self, name, saw, why, step, further):
        super().__init__(saw)
        self.name, self.saw, self.why, self.step, self.further = name, saw, why, step, further


class Unanswered(Exception):
    """There is nothing to check yet; in words, what is missing."""


class Note:
    """Words for a learner, a paragraph each, in the theme's own colours beside a border."""

    color = "#0072B2"

    def __init__(self, words):
        self.words = words

    def __repr__(self):
        return "\n".join(self.words)

    def _repr_html_(self):
        paragraphs = "".join(f"<p>{_marked(words)}</p>" for words in self.words)
        border = f"border-left: 4px solid {self.color}; padding-left: 12px"
        return f'<div style="{border}; max-width: 44em">{paragraphs}</div>'


class Verdict(Note):
    """What a check says: ``right``; the name of the ``mistake``, or None; and the ``words``."""

    def __init__(self, right, mistake, words):
        super().__init__(words)
        self.right, self.mistake = right, mistake
        # The first words say the same.
        self.color = "#009E73" if right else "#D55E00"


class Exercise:
    """A question that a learner answers; ``check`` says what it thinks of the answer.

    ``judge`` is the same without the picture, for who grades with it: a ``Verdict``.
    """

    def __init__(self, check, hints):
        self.name, self.question = check.__name__, check.__doc__
        self.hints = hints
        self._check, self._solution = check, None
        self.forget()

    def __repr__(self):
        return f"{self.question} {self.name}.check(answer), .hint(), .solution()"

    def check(self, answer=None):
        """Try the answer and say what was seen. Nothing that is passed makes it raise."""
        display(self.judge(answer))

    def judge(self, answer=None):
        """The ``Verdict`` on an answer; a mistake that comes again is told one step further."""
        try:
            if answer is None or answer is ...:
                raise Unanswered("put your answer where the `...` is, and run the cell again.")
            return Verdict(True, None, (f"Right. {self._check(answer)}",))
        except Unanswered as missing:
            start = f"For a start: `exercises.{self.name}.hint()`."
            return Verdict(False, "unanswered", (f"Not answered yet: {missing}", start))
        except Mistake as mistake:
            return self._tell(mistake)
        except KeyboardInterrupt:  # the reader's own, to stop a check
            raise
        except BaseException as error:  # whatever a learner's code may raise
            return self._tell(_stumble(error))

    def hint(self):
        """Show the next hint; after the last, the last again."""
        number = min(self._hinted + 1, len(self.hints))
        self._hinted = number
        words = [f"Hint {number} of {len(self.hints)}: {self.hints[number - 1]}"]
        if number == len(self.hints):
            words.append(f"After this one there is `exercises.{self.name}.solution()`.")
        display(Note(tuple(words)))

    def solution(self):
        """Show one solution, as code that can be run in a cell of its own."""
        code = self.solution_code()
        display({"text/markdown": f"```python\n{code}```", "text/plain": code}, raw=True)

    def solution_code(self):
        """The solution's lines, the last of which checks it."""
        source = textwrap.dedent(inspect.getsource(self._solution))
        source = source[source.index("def ") :]
        call = "" if inspect.signature(self._solution).parameters else "()"
        return f"{source}\n\nexercises.{self.name}.check({self._solution.__name__}{call})\n"

    def solved_by(self, solution):
        """Decorate the solution: a function that is the answer, or one without arguments that
        returns it. It imports what it needs, but for what its notebook's exercises import."""
        self._solution = solution
        return solution

    def forget(self):
        """Start over: no mistake was made and no hint given."""
        self._made, self._hinted = Counter(), 0

    def _tell(self, mistake):
        again = self._made[mistake.name]
        self._made[mistake.name] += 1
        words = [f"Not yet. {mistake.saw}", mistake.why, f"Next: {mistake.step}"]
        if again:
            words.append(f"One step further: {mistake.further}")
        if again > 1:
            words.append(f"`exercises.{self.name}.solution()` shows one way.")
        return Verdict(False, mistake.name, tuple(words))


def exercise(*hints):
    """Make an ``Exercise`` of the check below; its docstring is the question, in a line."""
    return lambda check: Exercise(check, hints)


def shown(value):
    """A value in a few characters, whatever it is."""
    try:
        return reprlib.repr(value)
    except Exception:  # an integer of thousands of digits, say
        return f"<{type(value).__name__}>"


def _stumble(error):
    """An exception as a mistake, with the learner's own line where it went through one."""
    kind = type(error).__name__
    try:
        message = f"{kind}: {error}".strip(": ")
    except Exception:  # an error whose text cannot be made
        message = kind
    message = textwrap.shorten(message.replace("`", "'"), 300)
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if _is_theirs(frame)]
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


def _is_theirs(frame):
    """Whether a line is the learner's: not the package's, not a library's."""
    path = frame.filename
    in_library = any(part in path for part in LIBRARIES) or path.startswith(PLACES)
    # A line without text is that of compiled code.
    return bool(frame.line) and not in_library and PACKAGE not in Path(path).parents


def _marked(words):
    """Words as HTML; what stands between backticks is code."""
    return re.sub(r"`([^`]*)`", r"<code>\1</code>", html.escape(words))
