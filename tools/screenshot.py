"""Take the README's picture: the explorer in a real JupyterLab, after its questions.

``python tools/screenshot.py`` writes notebooks/images/explorer.png.
"""

import tempfile
from pathlib import Path

import browser
import lab
from playwright.sync_api import expect

TARGET = Path(__file__).parent.parent / "notebooks/images/explorer.png"
CELL = "from resnet_lesson import GradientExplorer\n\nGradientExplorer()"
ASKED = 6  # of the questions: the five curves of notebook 1, and one of a hundred layers


def explorer_in(page, address):
    """The explorer of a notebook that holds only it, computed by its kernel."""
    lab.write_notebook(address, "explorer.ipynb", CELL)
    lab.open_notebook(page, address, "explorer.ipynb")
    page.evaluate("window.jupyterapp.commands.execute('application:toggle-left-area')")
    page.evaluate("window.jupyterapp.commands.execute('notebook:run-all-cells')")
    explorer = page.locator(".resnet-explorer")
    # Curves computed beforehand have ten points, the engine's have one for each layer.
    page.wait_for_function(
        "document.querySelector('.curve.plain .stroke')?.getAttribute('d').split('L').length > 15"
    )
    page.add_style_tag(content=".Toastify { display: none }")  # JupyterLab's own announcements
    return explorer


def main():
    with (
        tempfile.TemporaryDirectory() as home,
        browser.launched() as chromium,
        lab.running(Path(home)) as address,
    ):
        size = {"width": 1100, "height": 1000}
        page = chromium.new_page(viewport=size, device_scale_factor=1.5)
        explorer = explorer_in(page, address)
        for asked in range(1, ASKED + 1):
            explorer.locator("button.primary:visible").click()
            said = f"question {asked} of"
            expect(explorer.locator(".dots")).to_contain_text(said, timeout=60_000)
        page.wait_for_timeout(500)  # until it is painted
        explorer.screenshot(path=TARGET)
    print(TARGET)


if __name__ == "__main__":
    main()
