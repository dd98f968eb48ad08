"""What axe-core finds on a page that would keep a reader out."""

from axe_playwright_python.sync_playwright import Axe


def violations(page, within=None):
    """Its serious and critical violations, a line each; ``within`` a CSS selector, if given."""
    # It would fetch the style sheets again, which a page's policy forbids.
    found = Axe().run(page, within, {"preload": False}).response["violations"]
    return [
        f"{violation['id']}: {node['target']}: {node['html']}"
        for violation in found
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
