"""What a function refuses, seen at its first layer, beside what an oracle calls impossible."""

import pytest
from hypothesis import strategies as st

from resnet_lesson.runtime import keras


class Unbuilt(Exception):
    """Stops a valid configuration at its first layer: predictions of refusal cost nothing."""


def outcome(function, **arguments):
    """What comes first: None for a layer, or the message of the refusal."""

    def stop(*_args, **_kwargs):
        raise Unbuilt

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keras.layers.Layer, "__init__", stop)
        try:
            function(**arguments)
        except Unbuilt:
            return None
        except ValueError as error:
            return str(error)
    raise AssertionError("neither a layer nor a refusal")


def expect(bad, message):
    """``bad``: the values an oracle calls impossible; none means that the input is valid."""
    if not bad:
        assert message is None
    else:
        assert message is not None
        assert any(repr(value) in message.split("received")[-1] for value in bad), message


def mostly(good, bad):
    """Bad one time in twenty: of some ten values drawn, about half the examples stay valid."""
    return st.sampled_from([good] * 19 + [bad]).flatmap(lambda strategy: strategy)


SIZES = mostly(st.integers(9, 40), st.integers(-2, 12))
COUNTS = mostly(st.integers(1, 8), st.sampled_from([0, -1, 2.5, None, True]))
WIDTHS = mostly(st.integers(1, 64).map(lambda n: 4 * n), st.integers(-4, 40))


def positive(value):
    return type(value) is int and value > 0
