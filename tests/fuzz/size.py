"""How much the fuzz tries: a little in ``make test``, and as much as ``make fuzz`` says."""

import os

SEQUENCES = int(os.environ.get("FUZZ", "12"))  # of each widget and side; of each file that is read
