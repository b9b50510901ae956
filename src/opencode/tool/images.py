"""Makes images small enough for models (spec: messages, section 3.6)."""

import base64
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from importlib.util import find_spec
from io import BytesIO
from typing import TYPE_CHECKING

from anyio.to_thread import run_sync

from opencode.config.schema import AttachmentConfig
from opencode.core.log import get_logger
from opencode.core.wire import UNSET, UnsetType, set_or

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_SIDE = 2000
MAX_BASE64_BYTES = 5 * 1024 * 1024
SHRINK = 0.75
"""How much smaller the sides become with each try."""
TRIES = 32
MAX_PIXELS = 80_000_000
"""What is opened at most: it takes four bytes each, whatever the file takes."""
QUALITIES = (85, 70, 55, 40)
TOO_MANY_PIXELS = "it has too many pixels"
NOT_INSTALLED = "an image is sent as it is; to make it smaller: pip install 'opencode-server[images]'"

log = get_logger(__name__)


class ImageTooLarge(Exception):
    """The image cannot be brought within the limits."""


@dataclass(frozen=True, slots=True)
class ImageLimits:
    """How large an image may be. Sides in pixels; ``max_base64_bytes``: as sent."""

    max_width: int = MAX_SIDE
    max_height: int = MAX_SIDE
    max_base64_bytes: int = MAX_BASE64_BYTES

    @classmethod
    def from_config(cls, config: AttachmentConfig | UnsetType) -> "ImageLimits | None":
        """The limits of the ``attachment.image`` setting; None: images stay as they are."""
        if config is UNSET or config.image is UNSET:
            return cls()
        image = config.image
        if image.auto_resize is False:
            return None
        return cls(
            set_or(image.max_width, MAX_SIDE),
            set_or(image.max_height, MAX_SIDE),
            set_or(image.max_base64_bytes, MAX_BASE64_BYTES),
        )

    def allow(self, size: tuple[int, int], base64_bytes: int) -> bool:
        """Whether an image of this width and height may be sent."""
        width, height = size
        return width <= self.max_width and height <= self.max_height and base64_bytes <= self.max_base64_bytes


async def fitted_image(mime: str, url: str, limits: ImageLimits | None) -> tuple[str, str]:
    """Type and ``data:`` URL of the image within the limits; anything else comes back as it is.

    Raises ``ImageTooLarge``.
    """
    if limits is None or not mime.startswith("image/") or not url.startswith("data:"):
        return mime, url
    return await run_sync(partial(_fitted, mime, url, limits))


def _fitted(mime: str, url: str, limits: ImageLimits) -> tuple[str, str]:
    head, _, payload = url.partition(",")
    if not head.endswith(";base64"):
        return mime, url
    if find_spec("PIL") is None:
        if len(payload) > limits.max_base64_bytes:
            log.warning(NOT_INSTALLED, bytes=len(payload))
        return mime, url
    from PIL import Image  # slow to import, and optional

    try:
        with Image.open(BytesIO(base64.b64decode(payload))) as image:
            if limits.allow(image.size, len(payload)):
                return mime, url
            if image.width * image.height > MAX_PIXELS:
                raise ImageTooLarge(TOO_MANY_PIXELS)
            return _smaller(image, limits)
    except Image.DecompressionBombError as error:
        raise ImageTooLarge(TOO_MANY_PIXELS) from error
    except (OSError, ValueError, SyntaxError):
        # Not a picture that Pillow knows, or a broken one: the provider may say more about it.
        return mime, url


def _smaller(image: "Image", limits: ImageLimits) -> tuple[str, str]:
    """The first of ever smaller pictures that may be sent."""
    from PIL import ImageOps

    first = ("JPEG",) if image.format == "JPEG" else ("PNG", "JPEG")
    upright = ImageOps.exif_transpose(image)
    whole = upright.convert("RGBA" if upright.has_transparency_data else "RGB")
    for size in _sizes(whole.size, limits):
        smaller = whole.resize(size) if size != whole.size else whole
        for kind in first:
            for data in _encoded(smaller, kind):
                payload = base64.b64encode(data)
                if len(payload) <= limits.max_base64_bytes:
                    mime = f"image/{kind.lower()}"
                    return mime, f"data:{mime};base64,{payload.decode()}"
    raise ImageTooLarge(f"not even the smallest picture takes at most {limits.max_base64_bytes} bytes")


def _sizes(size: tuple[int, int], limits: ImageLimits) -> Iterator[tuple[int, int]]:
    width, height = size
    scale = min(1, limits.max_width / width, limits.max_height / height)
    for _ in range(TRIES):
        yield max(1, int(width * scale)), max(1, int(height * scale))
        scale *= SHRINK


def _encoded(image: "Image", kind: str) -> Iterator[bytes]:
    """As PNG; or as JPEG, which knows no transparency, of falling quality."""
    from PIL import Image

    if kind == "PNG":
        yield _saved(image, kind)
        return
    if image.mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image)
    for quality in QUALITIES:
        yield _saved(image.convert("RGB"), kind, quality=quality)


def _saved(image: "Image", kind: str, **options: int) -> bytes:
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()
