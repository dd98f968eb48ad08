"""A framework in a process of its own, so that none disturbs another's threads."""

import json
import os
import subprocess
from pathlib import Path

ROOT = Path(__file__).parent.parent
TORCH_PYTHON = ROOT / ".venv-bench/bin/python"


class Process:
    """A worker process; a method call here is a request to it.

    Args:
        python: the interpreter that has the framework.
        module: of this folder, for ``worker.py``.
        threads: of the framework.
        environment: variables to set; those that are None are removed.
    """

    def __init__(self, python, module, threads, **environment):
        command = [python, str(Path(__file__).parent / "worker.py"), module, str(threads)]
        own = {
            **os.environ,
            "PYTHONPATH": str(ROOT),
            "OMP_NUM_THREADS": str(threads),
            "TF_ENABLE_ONEDNN_OPTS": "1",  # as the lesson sets it, for Keras too
            "TF_CPP_MIN_LOG_LEVEL": "2",
            **environment,
        }
        self.module = module
        self.process = subprocess.Popen(
            command,
            env={name: value for name, value in own.items() if value is not None},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def __getattr__(self, method):
        def ask(*arguments):
            print(json.dumps([method, arguments]), file=self.process.stdin, flush=True)
            answer = self.process.stdout.readline()
            if not answer:
                raise RuntimeError(f"the worker {self.module} ended; its last words are above")
            return json.loads(answer)

        return ask

    def close(self):
        """End it, whatever its framework's threads still do."""
        self.process.kill()
        self.process.wait()
