"""What kind of content a file holds, told by its first bytes and its name."""

import base64
from pathlib import Path

ATTACHED_TYPES = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp", "application/pdf"})
"""What models can be given as it is."""

_ARCHIVES = {"zip", "tar", "gz", "7z", "jar", "war"}
_OFFICE = {"doc", "docx", "xls", "xlsx", "ppt", "pptx", "odt", "ods", "odp"}
_COMPILED = {"exe", "dll", "so", "o", "a", "lib", "obj", "class", "wasm", "pyc", "pyo", "bin", "dat"}
_BINARY_EXTENSIONS = frozenset(_ARCHIVES | _OFFICE | _COMPILED)
_MAGIC = (
    (b"\x89PNG\r\n\x1a\n", "image/png"),
    (b"\xff\xd8\xff", "image/jpeg"),
    (b"GIF87a", "image/gif"),
    (b"GIF89a", "image/gif"),
    (b"%PDF-", "application/pdf"),
    (b"BM", "image/bmp"),
)
_IMAGES = {
    "png",
    "jpg",
    "jpeg",
    "gif",
    "bmp",
    "webp",
    "ico",
    "tif",
    "tiff",
    "svg",
    "svgz",
    "avif",
    "apng",
    "jxl",
    "heic",
} | {"heif", "raw", "cr2", "nef", "arw", "dng", "orf", "raf", "pef", "x3f"}
_IMAGE_SUBTYPES = {"jpg": "jpeg", "ico": "x-icon", "tif": "tiff", "svg": "svg+xml", "svgz": "svg+xml"}
_UNPRINTABLE = bytes([*range(9), *range(14, 32)])
_MOST_UNPRINTABLE = 0.3


def media_type(head: bytes) -> str | None:
    """The type of an image or PDF by its first bytes; None for anything else."""
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "image/webp"
    found = next((mime for magic, mime in _MAGIC if head.startswith(magic)), None)
    # Text may start with "BM"; a bitmap has four reserved zero bytes.
    return None if found == "image/bmp" and head[6:10] != bytes(4) else found


def has_binary_extension(path: Path) -> bool:
    """Whether files of this name are never text."""
    return path.suffix.lower().lstrip(".") in _BINARY_EXTENSIONS


def image_type(path: Path) -> str | None:
    """The type of an image by its name; None for other names."""
    extension = path.suffix.lower().lstrip(".")
    return f"image/{_IMAGE_SUBTYPES.get(extension, extension)}" if extension in _IMAGES else None


def looks_binary(head: bytes) -> bool:
    """Whether the first bytes are not text: a NUL, or more than 30 % control characters."""
    if b"\0" in head:
        return True
    return len(head) - len(head.translate(None, _UNPRINTABLE)) > _MOST_UNPRINTABLE * len(head)


def data_url(data: bytes, mime: str) -> str:
    """The bytes as a ``data:`` URL."""
    return f"data:{mime};base64,{base64.b64encode(data).decode()}"
