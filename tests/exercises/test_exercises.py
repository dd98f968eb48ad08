"""Solutions pass, wrong answers get the hint meant for them, and no answer makes a check crash."""

import ast
import importlib
import re
from pathlib import Path

import nbformat
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from resnet_lesson.exercises.tutor import Exercise, Mistake, Unanswered, Verdict, exercise
from resnet_lesson.runtime import keras

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
NOTEBOOKS = {
    "vanishing_gradients": "01_vanishing_gradients",
    "identity_shortcut": "02_identity_shortcut",
    "bottleneck_and_preactivation": "03_bottleneck_and_preactivation",
    "building_resnet": "04_building_resnet",
    "training": "05_training",
    "inside_a_trained_network": "06_inside_a_trained_network",
}
KINDS = {"Predict", "Estimate", "Read", "Repair", "Build", "Investigate", "Diagnose"}
MODULES = {name: importlib.import_module(f"resnet_lesson.exercises.{name}") for name in NOTEBOOKS}
EXERCISES = {
    (name, each.name): each
    for name, module in MODULES.items()
    for each in vars(module).values()
    if isinstance(each, Exercise)
}
# Mistake, words of its hint, and a function that makes the answer, by module and exercise.
WRONG = [
    (module, name, *case)
    for module in NOTEBOOKS
    for name, cases in importlib.import_module(f"wrong_answers.{module}").WRONG.items()
    for case in cases
]
EVERY = pytest.mark.parametrize("key", EXERCISES, ids="-".join)


@pytest.fixture(autouse=True)
def fresh():
    """No exercise remembers the mistakes of another test."""
    for each in EXERCISES.values():
        each.forget()


def notebook(module):
    return nbformat.read(ROOT / "notebooks" / f"{NOTEBOOKS[module]}.ipynb", as_version=4)


def checked_argument(code):
    """The lines before the call of a check, and the argument of that call."""
    *lines, call = ast.parse(code).body
    return ast.unparse(ast.Module(lines, [])), ast.unparse(call.value.args[0])


@EVERY
def test_the_solution_shown_is_right(key):
    """As it is shown: in a cell of its own, after the notebook's line of imports."""
    lines, argument = checked_argument(EXERCISES[key].solution_code())
    names = {"exercises": MODULES[key[0]]}
    exec(lines, names)
    verdict = EXERCISES[key].judge(eval(argument, names))
    assert verdict.right, verdict


@pytest.mark.parametrize(("module", "name", "mistake", "words", "make"), WRONG)
def test_a_wrong_answer_gets_its_hint(module, name, mistake, words, make):
    first, second, third = (EXERCISES[module, name].judge(make()) for _ in range(3))
    assert (first.right, first.mistake) == (False, mistake), first
    assert words in str(first)
    assert "e+" not in str(first)  # plain numbers
    assert str(first).startswith("✗ Not yet. ")
    # What was seen, why it matters, one step, a call; the second time a step further, the third
    # time the solution, too.
    for said, start in [(first, "Next: "), (second, "One step further: "), (third, "One step")]:
        saw, why, step, call = said.words
        assert (saw, why) == first.words[:2]
        assert step.startswith(start)
        assert f"exercises.{name}.hint()" in call
    assert ["solution()" in str(said) for said in (first, second, third)] == [False, False, True]


def test_every_exercise_has_three_mistakes():
    mistakes = {key: set() for key in EXERCISES}
    for module, name, mistake, *_ in WRONG:
        mistakes[module, name].add(mistake)
    assert {key for key, found in mistakes.items() if len(found) < 3} == set()


def headings_of(text):
    """The number and the kind of each exercise, which has its difficulty and its minutes, too."""
    shape = r"^### Exercise (\d)\. (\w+): .+ \((?:easy|medium|hard), \d+ min\)$"
    found = re.findall(shape, text, re.MULTILINE)
    assert len(found) == len(re.findall("^### Exercise", text, re.MULTILINE))
    return found


def test_the_lesson_asks_in_every_way():
    texts = ["\n".join(cell.source for cell in notebook(module).cells) for module in NOTEBOOKS]
    assert {kind for text in texts for _, kind in headings_of(text)} == KINDS


@pytest.mark.parametrize("module", NOTEBOOKS)
def test_a_notebook_asks_in_many_ways(module):
    text = "\n".join(cell.source for cell in notebook(module).cells)
    headings = headings_of(text)
    assert [int(number) for number, _ in headings] == list(range(1, len(headings) + 1))
    assert len({kind for _, kind in headings}) >= min(4, len(headings))
    assert len(re.findall(r"^### Question \d\. ", text, re.MULTILINE)) >= 2


@EVERY
def test_the_notebook_shows_it_unanswered(key):
    module, name = key
    (cell,) = [cell for cell in notebook(module).cells if f"exercises.{name}.check(" in cell.source]
    assert cell.cell_type == "code"
    (said,) = [output for output in cell.outputs if "text/html" in output.get("data", {})]
    assert re.match("✗ Not yet|○ Not answered yet", said.data["text/plain"])
    # The solution is checked by the same call.
    names = [checked_argument(code)[1] for code in (cell.source, EXERCISES[key].solution_code())]
    assert len({argument.removesuffix("()") for argument in names}) == 1, names


@pytest.mark.parametrize("module", NOTEBOOKS)
def test_a_question_explains_every_choice(module):
    text = "\n".join(cell.source for cell in notebook(module).cells)
    questions = re.split(r"^### Question \d\. ", text, flags=re.MULTILINE)[1:]
    for question in questions:
        question = re.split(r"^##", question, flags=re.MULTILINE)[0]
        choices = re.findall(
            r"<details><summary>(.+?)</summary>\n\n(.+?)\n</details>", question, re.S
        )
        assert question.count("<details>") == len(choices) >= 3
        assert [answer.startswith("**Yes.**") for _, answer in choices].count(True) == 1
        assert all(answer.startswith(("**Yes.**", "**No.**")) for _, answer in choices)


class Hostile:
    """Raises on every use."""

    def _refuse(self, *_args, **_options):
        raise RuntimeError("hostile")

    __repr__ = __str__ = __len__ = __iter__ = __float__ = __int__ = __bool__ = _refuse
    __array__ = __eq__ = __getitem__ = __add__ = __mul__ = __call__ = _refuse
    __hash__ = object.__hash__


def small_model(shape, units):
    image = keras.Input(shape)
    return keras.Model(image, keras.layers.Dense(units)(image))


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.complex_numbers() | st.text()
OBJECTS = st.recursive(
    SCALARS | st.binary() | st.fractions() | st.dates() | st.builds(lambda: 10**5000),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(SCALARS, inner, max_size=4),
    max_leaves=5,
)
ARRAYS = st.lists(st.integers(0, 3), max_size=4).map(lambda shape: np.ones(shape, np.float32))
SHAPES = [(4,), (3, 5), (8, 8, 16), (4, 4, 4, 2)]
MODELS = [small_model(shape, units=3) for shape in SHAPES]
KERAS = st.sampled_from(
    [*MODELS, keras.Input((4, 4, 16)), keras.layers.Dense(3), keras.Sequential()]
)
MADE = st.builds(Hostile) | st.builds(object) | st.sampled_from([Hostile, int, print])
ANYTHING = OBJECTS | ARRAYS | KERAS | MADE
ERRORS = st.sampled_from(
    [ValueError, ZeroDivisionError, SystemExit, GeneratorExit, RecursionError, StopIteration]
)
QUICK = settings(
    max_examples=15, deadline=None, suppress_health_check=list(HealthCheck), derandomize=True
)


def assert_explains(verdict):
    """Assert that a verdict can be shown, in words of its own."""
    assert isinstance(verdict, Verdict)
    assert all(isinstance(said, str) and said for said in verdict.words)
    assert len(repr(verdict)) < 3000
    assert verdict._repr_html_().startswith("<div")
    assert "Traceback" not in repr(verdict)


@EVERY
@QUICK
@given(answer=ANYTHING)
def test_any_object_is_answered(key, answer):
    assert_explains(EXERCISES[key].judge(answer))


@EVERY
@QUICK
@given(error=ERRORS)
def test_a_function_that_raises_is_explained_by_its_own_line(key, error):
    def learners(*_arguments, **_options):
        raise error("of the learner")

    verdict = EXERCISES[key].judge(learners)
    assert_explains(verdict)
    assert not verdict.right
    if verdict.mistake != "kind":  # where a function is the answer
        assert verdict.mistake == f"raised {error.__name__}"
        assert 'raise error("of the learner")' in verdict.words[0]


@EVERY
@QUICK
@given(result=ANYTHING)
def test_a_function_may_return_anything(key, result):
    assert_explains(EXERCISES[key].judge(lambda *_arguments, **_options: result))


@exercise("one", "two")
def toy(answer):
    """Say 1."""
    if answer == 1:
        return "One it is."
    if answer == 0:
        raise Unanswered("say a number.")
    name = "small" if answer < 1 else "large"
    raise Mistake(name, f"I saw `{answer}`.", "One is <1>.", "count.", "count again.")


@pytest.fixture
def shown(monkeypatch):
    found = []
    toy.forget()
    monkeypatch.setattr(
        "resnet_lesson.exercises.tutor.display", lambda said, **_raw: found.append(said)
    )
    return found


def test_a_check_displays_its_verdict(shown):
    toy.check(1)
    toy.check(2)
    toy.check()
    right, wrong, none = shown
    assert (right.right, right.mistake, str(right)) == (True, None, "✓ Right. One it is.")
    call = "A hint: `exercises.toy.hint()`"
    assert str(wrong) == f"✗ Not yet. I saw `2`.\nOne is <1>.\nNext: count.\n{call}"
    assert none.mistake == "unanswered"
    assert str(none).startswith("○ Not answered yet: put your answer")
    assert str(none).endswith(call)


def test_words_are_escaped_and_code_is_code(shown):
    toy.check(2)
    (said,) = shown
    assert "<b>✗ Not yet.</b> I saw <code>2</code>." in said._repr_html_()
    assert "One is &lt;1&gt;." in said._repr_html_()


def test_hints_come_one_by_one(shown):
    for _ in range(3):
        toy.hint()
    first, second, third = (str(hint) for hint in shown)
    assert first == "Hint 1 of 2: one"
    assert second.startswith("Hint 2 of 2: two")
    assert "solution()" in second
    assert third == second


def test_a_solution_is_shown_as_code(shown):
    EXERCISES["vanishing_gradients", "leaky"].solution()
    (bundle,) = shown
    code = bundle["text/plain"]
    assert bundle["text/markdown"] == f"```python\n{code}```"
    assert code.startswith("def deviation(fan_in, slope):")
    assert code.endswith("exercises.leaky.check(deviation)\n")


def test_two_mistakes_are_counted_apart():
    toy.forget()
    said = [toy.judge(answer) for answer in (2, -1, 3)]
    assert [verdict.words[2] for verdict in said] == ["Next: count."] * 2 + [
        "One step further: count again."
    ]
    assert [verdict.mistake for verdict in said] == ["large", "small", "large"]


def test_a_reader_can_stop_a_check():
    def stopped(_answer):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        exercise("a hint")(stopped).judge(1)
