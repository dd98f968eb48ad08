"""What of a widget goes into a message, and what a notebook keeps of it: words and a picture."""

import base64
import warnings

from ..output import without_surrogates


def to_message(value, widget=None):
    """A value with text that a message can hold; a trait's ``to_json``."""
    return without_surrogates(value)


def with_fallback(bundle, words, draw=None):
    """Put words that do not vary, and what ``draw`` returns, PNG bytes, into a widget's bundle.

    The picture is for where no widget can run. Where drawing it fails, a warning says so: the
    widget and its words are worth more.
    """
    bundle["text/plain"] = without_surrogates(words)
    if draw is not None:
        try:
            bundle["image/png"] = base64.b64encode(_drawn(draw)).decode()
        except Exception as error:
            warnings.warn(
                f"the widget is shown without its picture, which cannot be drawn: "
                f"{type(error).__name__}: {error}",
                stacklevel=2,
            )
    return bundle


def _drawn(draw):
    from .. import plots

    with plots.closed_on_error():
        return draw()
