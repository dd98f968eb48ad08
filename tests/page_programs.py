"""The programs of the page's engine as files, for node."""

import gzip

import bundle


def written(folder, name):
    """``folder``, with the program as it is shipped, its twin of 64 bits, and the digits."""
    shipped = gzip.decompress((bundle.ENGINE / f"{name}.wasm.gz").read_bytes())
    (folder / "float").write_bytes(shipped)
    (folder / "double").write_bytes(bundle.compiled(name, real="double"))
    (folder / "digits").write_bytes(bundle.digits())
    return folder
