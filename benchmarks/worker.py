"""One framework in a process of its own, which answers the requests on its standard input.

``python worker.py MODULE THREADS``: MODULE is a framework's, such as with_torch. A request is a
line of JSON: the name of a method below and its arguments; so is the answer.
"""

import gc
import importlib
import json
import os
import sys
import time

import numpy as np


class Worker:
    def __init__(self, module):
        self.framework = importlib.import_module(module)

    def versions(self):
        return self.framework.versions()

    def use_threads(self, count):
        """For PyTorch: TensorFlow fixes its threads when it starts."""
        import torch

        torch.set_num_threads(count)

    def prepare(self, options, material):
        self.differentiate = self.framework.prepare(options, material)

    def norms(self, depth):
        return self.differentiate(depth).tolist()

    def time(self, depths):
        """Milliseconds of a call for each of the depths, in their order."""
        gc.collect()  # pays for what came before, not for what is to be timed
        taken = []
        for depth in depths:
            start = time.perf_counter()
            norms = self.differentiate(depth)
            taken.append(1000 * (time.perf_counter() - start))
            if not np.isfinite(norms).all():
                raise ValueError(f"depth {depth}: norms that are not finite, {norms}")
        return taken


def set_threads(module, count):
    """TensorFlow's, before its first operation."""
    if module.endswith("_torch"):
        return
    if module == "ours":
        from resnet_lesson.runtime import tf
    else:
        import tensorflow as tf
    tf.config.threading.set_intra_op_parallelism_threads(count)


def main(module, threads):
    # Answers take standard output for themselves: what libraries print goes to standard error.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    set_threads(module, int(threads))
    worker = Worker(module)
    for line in sys.stdin:
        method, arguments = json.loads(line)
        print(json.dumps(getattr(worker, method)(*arguments)), file=answers, flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
