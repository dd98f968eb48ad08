"""What a notebook keeps of a widget: words that do not vary, and a picture.

The picture is for where no widget can run.
"""

import base64
import warnings

from ..text import without_surrogates


def kept(bundle, words, draw=None):
    """Put a widget's words and what ``draw`` returns, PNG bytes, into its bundle, and return it.

    The widget is worth more than its picture: where drawing fails, a warning says so.
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
