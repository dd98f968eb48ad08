"""What a checkpoint and a record must hold, as schemas."""

from ..untrusted import COUNT, NUMBER, OBJECT, TEXT, Schema, listed, objects

# An epoch's measures, in the order of ``log.csv``; its norms by layer come in lists behind them.
COLUMNS = (
    *("epoch", "step", "learning_rate", "loss", "accuracy", "test_loss", "test_accuracy"),
    *("seconds", "images_per_second"),
)
NORMS = listed({"type": ["number", "null"]})
_MEASURES = dict.fromkeys(COLUMNS, NUMBER) | {
    **{"epoch": COUNT, "step": COUNT},
    **{"seconds": NUMBER | {"minimum": 0, "maximum": 1e9}},
}
HISTORY = listed(objects(**_MEASURES) | {"additionalProperties": NORMS})
# Those fields that each edition's configuration has and a sentence about a run needs; its values
# are checked where it is made.
CONFIG = objects(depth=COUNT, epochs=COUNT, seed=COUNT, shortcut={"type": "boolean"})
# Where a run, or a part of one, was computed.
_PLACE = {"hardware": TEXT, "versions": OBJECT | {"additionalProperties": TEXT}}
ABOUT = objects(
    **dict.fromkeys(("data", "data_sha256", "date"), TEXT),
    **dict.fromkeys(("train_images", "test_images"), COUNT),
    **_PLACE,
)
ABOUT["properties"] |= {
    **dict.fromkeys(("code_sha256", "precision", "trained_by"), TEXT),
    **{"went_on": listed(objects(**_PLACE)), "callbacks": listed(TEXT)},
}
# A record takes all of it beside what was measured, and it must not hide that.
STATE = objects(config=CONFIG, about=ABOUT | {"additionalProperties": False}, history=HISTORY)
_MEASURED: dict[str, Schema] = {
    **{"command": TEXT, "config": CONFIG, "parameters": COUNT, "layers": listed(TEXT)},
    **{"seconds": NUMBER, "test_accuracy": NUMBER, "history": HISTORY},
}
RUN = OBJECT | {
    "required": [*ABOUT["required"], *_MEASURED],
    "properties": ABOUT["properties"] | _MEASURED,
}
