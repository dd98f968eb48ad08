"""How much the fuzz tries: a little in ``make test``, and as much as ``make fuzz`` says."""

import os

SEQUENCES = int(os.environ.get("FUZZ", "12"))  # of each widget and side; of each file that is read
LARGE = SEQUENCES >= 1000  # enough to see memory grow


def times(many):
    """How often something is done of which memory must not grow."""
    return many if LARGE else max(3, many // 100)
