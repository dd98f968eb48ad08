"""A page that holds one widget and nothing else, as ``make site`` would export it."""

import build_site
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output


def write(path, widget):
    """Export the widget, as it is now, to a page at ``path``."""
    bundle, _ = widget._repr_mimebundle_()
    state = {widget.model_id: {"state": widget.get_state()}}
    source = new_notebook(
        cells=[
            new_markdown_cell("# A widget"),
            new_code_cell("widget", outputs=[new_output("display_data", data=bundle)]),
        ],
        metadata={"widgets": {build_site.STATE: {"state": state}}},
    )
    build_site.write(path, build_site.page(source, "notebooks/widget.ipynb"))
    return path
