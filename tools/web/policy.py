"""A Content-Security-Policy in each page: its own files and WebAssembly, and nothing outside."""

import base64
import hashlib
import re

INLINE = re.compile(r"<script(?![^>]*\ssrc=)[^>]*>(.*?)</script>", re.DOTALL)
HEAD = "<head>"


def policy(page):
    """The policy under which this page, as HTML, works: its inline scripts by their hashes."""
    hashes = {
        base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
        for script in INLINE.findall(page)
    }
    scripts = " ".join(f"'sha256-{each}'" for each in sorted(hashes))
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'self' 'wasm-unsafe-eval' {scripts}".strip(),
            "worker-src blob:",
            "style-src 'self' 'unsafe-inline'",
            "img-src 'self' data: blob:",
            "font-src 'self'",
            "base-uri 'none'",
            "form-action 'self'",
        )
    )


def protect(path):
    """Give the page in this file its policy, before all that it loads."""
    page = path.read_text(encoding="utf-8")
    rule = f'<meta http-equiv="Content-Security-Policy" content="{policy(page)}">'
    path.write_text(page.replace(HEAD, f"{HEAD}\n{rule}", 1), encoding="utf-8")


def protect_all(app, error):
    if error is None:
        for path in app.outdir.rglob("*.html"):
            protect(path)


def setup(app):
    app.connect("build-finished", protect_all)
    return {"parallel_read_safe": True}
