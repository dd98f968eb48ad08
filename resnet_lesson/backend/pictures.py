"""Pictures without TensorFlow, by Pillow.

A decompressed JPEG is not the same everywhere: TensorFlow rounds its cosines more coarsely, and
pixels differ by a few of 255 levels. A run goes on with the pixels that it began with.
"""

import contextlib
import io
import warnings
from collections.abc import Iterator

import numpy as np
from PIL import Image, UnidentifiedImageError

FORMATS = ("PNG", "JPEG", "BMP")  # no others, of which some ask other programs to read them


def size(content: bytes) -> tuple[int, int]:
    """Height and width of the picture in a file of this content, by its header.

    Raises:
        ValueError, OSError: it is damaged, or none.
    """
    with _opened(content) as picture:
        return picture.height, picture.width


def decoded(content: bytes) -> np.ndarray:
    """The picture in a file of this content, (H, W, 3) of uint8.

    Raises:
        ValueError, OSError: it is damaged, or none.
    """
    with _opened(content) as picture:
        if picture.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
            grey = (np.asarray(picture) >> 8).astype(np.uint8)
            return np.repeat(grey[..., None], 3, axis=-1)
        return np.asarray(picture.convert("RGB"))


@contextlib.contextmanager
def _opened(content: bytes) -> Iterator[Image.Image]:
    try:
        with warnings.catch_warnings():
            # Of a picture that says it is very large; nothing is unpacked yet.
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(content), formats=FORMATS)
        with picture:
            yield picture
    except UnidentifiedImageError as error:
        raise ValueError(f"it is no {', '.join(FORMATS)}") from error
    except SyntaxError as error:  # of a PNG
        raise ValueError(str(error)) from error
