"""Write the norms that TensorFlow finds in each of the cases: ``python reference.py FILE.json``."""

import json
import sys
from pathlib import Path

from cases import CASES, made

from resnet_lesson import gradient_norms

if __name__ == "__main__":
    norms = {}
    for name in CASES:
        model, x, y = made(name)
        norms[name] = gradient_norms(model, x, y)
    Path(sys.argv[1]).write_text(json.dumps(norms), encoding="utf-8")
