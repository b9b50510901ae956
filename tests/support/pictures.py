"""Pictures for tests."""

import base64
import random
import struct
import zlib
from io import BytesIO
from typing import Any

from PIL import Image


def picture(width: int, height: int, kind: str = "PNG", **options: Any) -> bytes:
    """One that compresses badly, always the same."""
    noise = random.Random(width).randbytes(width * height * 3)
    return encoded(Image.frombytes("RGB", (width, height), noise), kind, **options)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    """The file of a picture."""
    out = BytesIO()
    image.save(out, kind, **options)
    return out.getvalue()


def png_of_size(width: int, height: int) -> bytes:
    """The beginning of a PNG that claims to be so large."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + _chunk(b"IHDR", head) + _chunk(b"IDAT", zlib.compress(b"\0"))


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def data_url(data: bytes, mime: str = "image/png") -> str:
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"


def opened(url: str) -> Image.Image:
    """The picture of a ``data:`` URL."""
    return Image.open(BytesIO(base64.b64decode(url.partition(",")[2])))


def size_of(url: str) -> tuple[int, int]:
    return opened(url).size
