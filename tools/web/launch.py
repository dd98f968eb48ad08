"""Where a lesson's notebook can be run, from the project's one address."""

import links

BINDER, COLAB = "https://mybinder.org/v2/gh", "https://colab.research.google.com/github"


def addresses(name):
    """Where this notebook opens, by what is opened."""
    return {
        "JupyterLab on Binder": f"{BINDER}/{links.slug()}/HEAD?labpath=notebooks%2F{name}",
        "Colab": f"{COLAB}/{links.slug()}/blob/HEAD/notebooks/{name}",
        "your own JupyterLab": "../docs/run.html",
    }


def buttons(name):
    found = (f'<a class="launch" href="{to}">{text}</a>' for text, to in addresses(name).items())
    return f'<span class="launches">{" ".join(found)}</span>'


def needs_kernel(name):
    """HTML beside a check, which only a kernel can make."""
    return (
        '<div class="needs-kernel"><p>This check runs your own code, so it needs a kernel. '
        f"Open this notebook in {buttons(name)}</p></div>"
    )
