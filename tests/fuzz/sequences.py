"""Random sequences of what happens to a widget: one generator for Python and for the browser.

A value is one that a trait has had, the same with something in it changed, or anything at all.
"""

import copy
import random

TEXTS = ("", " ", "true", "__proto__", "constructor", "stage1", "stage21", "\0", "<b>", "é" * 3000)
HUGE = (2**31, 2**53, -(2**63), 10**400, 1e308, -1e308, 5e-324)
ATOMS = (
    None,
    True,
    False,
    -1,
    0,
    1,
    2,
    7,
    0.5,
    -0.0,
    1e9,
    [],
    {},
    [[]],
    [None],
    {"a": {}},
    [0, ""],
)
COMMANDS = ("hello", "waiting", "here", "start", "start again", "pause", "resume", "stop")


class Sequences:
    """Sequences for one widget.

    Args:
        seed: of all draws.
        states: dicts that its traits have had, by name.
        steps: what may happen in them: each a function that takes this generator and returns one
            step. The more often one stands there, the more often it happens.
    """

    def __init__(self, seed, states, steps):
        self.random = random.Random(seed)
        self.states, self.steps = states, steps
        self.names = sorted({name for state in states for name in state})

    def sequence(self):
        """The steps of one sequence."""
        return [self.choice(self.steps)(self) for _ in range(self.random.randint(1, 8))]

    def choice(self, among):
        return among[self.random.randrange(len(among))]

    def name(self):
        return self.choice(self.names)

    def state(self):
        """Values by trait, of one trait or of some; most often one among them is odd."""
        names = {self.name() for _ in range(self.choice((1, 1, 2, 4)))}
        return {name: self.value(name) for name in sorted(names)}

    def value(self, name):
        """A value for this trait."""
        known = [state[name] for state in self.states if name in state]
        draw = self.random.random()
        if draw < 0.3:
            return copy.deepcopy(self.choice(known))
        return self.changed(copy.deepcopy(self.choice(known))) if draw < 0.7 else self.anything()

    def anything(self, depth=0):
        """Any JSON."""
        draw = self.random.random()
        if depth < 3 and draw < 0.2:
            return [self.anything(depth + 1) for _ in range(self.random.randrange(4))]
        if depth < 3 and draw < 0.4:
            names = (*TEXTS[:6], *self.names, "label", "setting", "runs", "name", "state")
            return {self.choice(names): self.anything(depth + 1) for _ in range(3)}
        return self.choice((*ATOMS, *TEXTS, *HUGE, *COMMANDS, self.nested()))

    def nested(self):
        deep: list | dict = []
        for _ in range(self.choice((5, 60, 300))):
            deep = [deep] if self.random.random() < 0.5 else {"setting": deep}
        return deep

    def changed(self, value):
        """The value with something in it removed, doubled, added or replaced by anything."""
        if not isinstance(value, (list, dict)) or not value or self.random.random() < 0.15:
            return self.near(value)
        at = self.choice(sorted(value) if isinstance(value, dict) else range(len(value)))
        draw = self.random.random()
        if draw < 0.1:
            del value[at]
        elif draw < 0.2 and isinstance(value, list):
            value.insert(at, value[at])
        elif draw < 0.2:
            value[self.choice(TEXTS)] = self.anything()
        else:
            value[at] = self.changed(value[at])
        return value

    def near(self, value):
        """A value that may have been mistaken for this one."""
        draw = self.random.random()
        if draw < 0.5 and isinstance(value, str) and value:
            return self.choice((value[:-1], value * 2, value.upper(), list(value[:9])))
        if draw < 0.5 and isinstance(value, (int, float)):
            return self.choice((-value, value + 1, value * 1000, value + 0.5, f"{value}", [value]))
        return self.anything()
