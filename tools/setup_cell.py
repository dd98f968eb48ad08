# @title Set-up: run this cell first. On Colab, it fetches the lesson.
import os
import subprocess
import sys
from glob import glob
from importlib.util import find_spec

if "google.colab" in sys.modules and not os.path.exists("../resnet_lesson"):
    repository = "https://github.com/resnet-lesson/resnet-lesson"
    repository = os.environ.get("LESSON_REPOSITORY", repository)
    if not os.path.exists("resnet-lesson"):
        subprocess.run(
            ["git", "clone", "--quiet", "--depth=1", repository, "resnet-lesson"], check=True
        )
    pip = [sys.executable, "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, "--no-deps", "./resnet-lesson"], check=True)
    subprocess.run([*pip, "anywidget"], check=True)
    os.chdir("resnet-lesson/notebooks")
    from google.colab import output

    output.enable_custom_widget_manager()

if not find_spec("resnet_lesson"):
    # Kaggle has what was added to a notebook in a folder that cannot be written to.
    inputs = [path for depth in range(1, 5) for path in glob("/kaggle/input/" + "*/" * depth)]
    sys.path += [path for path in inputs if os.path.exists(f"{path}resnet_lesson/doctor.py")]
if not find_spec("resnet_lesson"):
    raise ModuleNotFoundError(
        "the lesson's package, resnet_lesson, is missing in the Python of this kernel, "
        f"{sys.executable}. On Kaggle, choose Add Input, then the lesson's repository, and run "
        "this cell again. Elsewhere, run `make lab` in the project's folder; in VS Code, then "
        "choose its .venv as the kernel."
    )

from resnet_lesson import doctor

doctor.warn()
