"""Draw the picture of *Diagnose my model*: its network that does not learn, beside one that does.

``python tools/first_look.py`` runs the page's own code and writes docs/images/first_look.png.
"""

import re
from pathlib import Path

from resnet_lesson import plots

DOCS = Path(__file__).parent.parent / "docs"
TITLES = {"monitor": "the gradient vanishes", "cured": "the gradient is level"}


def ran():
    """What the page's code has defined when both networks have been trained."""
    page, names = (DOCS / "diagnose.md").read_text(encoding="utf-8"), {}
    for block in re.findall(r"```python\n(.+?)```", page, re.DOTALL):
        exec(compile(block, "docs/diagnose.md", "exec"), names)
        if "cured" in names:
            return names
    raise SystemExit("docs/diagnose.md must train a network that it calls cured")


def main():
    names = ran()
    axes = plots.panels(1, 2, 10, 3.4)[0]
    for ax, (name, title) in zip(axes, TITLES.items(), strict=True):
        names[name].plot(ax)
        ax.set_title(title)
    axes[0].figure.savefig(DOCS / "images/first_look.png", dpi=110)


if __name__ == "__main__":
    main()
