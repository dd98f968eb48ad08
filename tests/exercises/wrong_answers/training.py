"""Answers that learners give, and the Mistake that each should get."""


def dealt(first, second, third, measure="update_ratio"):
    return {"A": first, "B": second, "C": third, "measure": measure}


def powers(exponent, scales=(1, 10, 100), floor=0.0):
    return {scale: 0.02 * scale**exponent + floor for scale in scales}


WRONG = {
    "diagnose": [
        ("small gradient", "little is left", lambda: dealt("healthy", "frozen", "exploding")),
        ("large weights", "stay as they are", lambda: dealt("exploding", "healthy", "frozen")),
        ("steady", "An explosion grows", lambda: dealt("frozen", "exploding", "healthy")),
        (
            "other measure",
            "whether a layer moves",
            lambda: dealt("frozen", "healthy", "exploding", "gradient_norm"),
        ),
        ("twice", "occurs once", lambda: dealt("frozen", "frozen", "exploding")),
        ("kind", "one of exploding", lambda: dealt("frozen", "fine", "exploding")),
        ("kind", "with the keys", lambda: "A is frozen"),
    ],
    "turning": [
        ("one of two", "the gradient alone", lambda: powers(-1)),
        ("weight norm", "over their norm", lambda: powers(1)),
        ("unmoved", "had not been changed", lambda: powers(0)),
        ("floor", "such as L2", lambda: powers(-2, floor=2e-5)),
        ("not measured here", "I measure `0.017`", lambda: powers(-2)),
        ("few scales", "over a range", lambda: powers(-2, (1, 2, 3))),
        ("no update", "is positive", lambda: powers(-2) | {10: 0}),
        ("other law", "no single power", lambda: {0.1: 0.24, 1: 0.012, 10: 1.3e-4}),
    ],
}
