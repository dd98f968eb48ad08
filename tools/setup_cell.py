# @title Set-up: run this cell first. On Colab, it fetches the lesson.
import os
import subprocess
import sys

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

from resnet_lesson import doctor

doctor.warn()
