"""Pictures without TensorFlow, by Pillow.

A decompressed JPEG is not the same everywhere: TensorFlow rounds its cosines more coarsely, and
pixels differ by a few of 255 levels. A run goes on with the pixels that it began with.
"""

import io

import numpy as np
from PIL import Image


def decoded(content: bytes) -> np.ndarray:
    """The picture in a file of this content, (H, W, 3) of uint8.

    Raises:
        ValueError, OSError: it is damaged, or none.
    """
    try:
        with Image.open(io.BytesIO(content)) as picture:
            if picture.mode.startswith("I"):  # 16 bits, which Pillow would cut off at 255
                grey = (np.asarray(picture) >> 8).astype(np.uint8)
                return np.repeat(grey[..., None], 3, axis=-1)
            return np.asarray(picture.convert("RGB"))
    except SyntaxError as error:  # of a PNG
        raise ValueError(str(error)) from error
