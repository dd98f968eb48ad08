"""Find a Chromium for the browser tests, or install one; print where it is."""

import contextlib
import os
import shutil
import subprocess
import sys

# With which it asks nobody for anything.
FLAGS = [
    *("--no-sandbox", "--disable-dev-shm-usage", "--disable-gpu", "--disable-sync"),
    *("--disable-background-networking", "--disable-component-update", "--no-first-run"),
]
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


def runs(path):
    """Whether it starts: a download without its libraries, or Ubuntu's snap stub, does not."""
    try:
        return subprocess.run([path, "--version"], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def find():
    """The path of an installed browser that starts, or None."""
    for path in filter(None, map(shutil.which, NAMES)):
        if runs(path):
            return path
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if runs(path) else None


@contextlib.contextmanager
def launched():
    """Playwright's browser, on the Chromium that was found."""
    from playwright.sync_api import sync_playwright

    path = find()
    if path is None:
        raise RuntimeError("no Chromium or Chrome: run make browser")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield chromium
        chromium.close()


def install():
    """Try Playwright's own browser, then Debian's package where we are root."""
    attempts = [[sys.executable, "-m", "playwright", "install", "chromium"]]
    if shutil.which("apt-get") and os.geteuid() == 0:
        package = "DEBIAN_FRONTEND=noninteractive apt-get install -y -qq chromium"
        attempts.append(["sh", "-c", f"apt-get update -qq && {package}"])
    for command in attempts:
        print("No browser found: trying", " ".join(command), flush=True)
        subprocess.run(command, stdout=subprocess.DEVNULL, check=False)
        if path := find():
            return path
    raise SystemExit(
        "The browser tests need Chromium or Google Chrome, and neither was found or could be "
        "installed. Install one (Debian: apt install chromium) and run make test again."
    )


if __name__ == "__main__":
    print(find() or install())
