"""Pictures made again from their pixels: upright, without what the camera noted; sole user of PIL.

What comes out holds nothing of what came in but its pixels: no place, no name, no hidden content.
"""

import io
from dataclasses import dataclass
from threading import Lock

from PIL import Image, ImageCms, ImageOps, UnidentifiedImageError

from booking.files.errors import TooManyPixels, Unreadable
from booking.files.rules import MOST_PIXELS

# Ours is lower, and asked before anything is unpacked.
Image.MAX_IMAGE_PIXELS = None
QUALITY, SMALL_QUALITY = 88, 82
_DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError)
# A picture unpacked may take 250 MB: one at a time in each process.
_ONE_AT_A_TIME = Lock()


@dataclass(frozen=True)
class Shrunk:
    """A JPEG no larger than asked for."""

    content: bytes
    width: int
    height: int


def shrink(content: bytes, *sides: int) -> list[Shrunk]:
    """Return the picture once for each longest side, never enlarged.

    Raises TooManyPixels before unpacking, Unreadable for what is damaged or cut short.
    """
    with _ONE_AT_A_TIME:
        try:
            return _shrunk(content, sides)
        except UnidentifiedImageError as exc:
            raise Unreadable from exc
        except _DAMAGED as exc:
            raise Unreadable from exc


def _shrunk(content: bytes, sides: tuple[int, ...]) -> list[Shrunk]:
    with Image.open(io.BytesIO(content), formats=("PNG", "JPEG", "WEBP")) as opened:
        width, height = opened.size
        if not width or not height or width * height > MOST_PIXELS:
            raise TooManyPixels(width=width, height=height, most_pixels=MOST_PIXELS)
        # A JPEG can be unpacked at an eighth to a half of its size, for a fraction of the room.
        opened.draft(None, (max(sides), max(sides)))
        opened.load()
        upright = ImageOps.exif_transpose(opened)
        flat = _flat(upright)
    return [_jpeg(flat, side) for side in sides]


def _flat(image: Image.Image) -> Image.Image:
    """Return it in plain sRGB on white."""
    profile = image.info.get("icc_profile")
    if image.has_transparency_data:
        image = image.convert("RGBA")
        ground = Image.new("RGBA", image.size, "white")
        image = Image.alpha_composite(ground, image)
    if profile and image.mode in {"RGB", "RGBA", "CMYK", "L"}:
        try:
            found = ImageCms.profileToProfile(
                image if image.mode != "RGBA" else image.convert("RGB"),
                ImageCms.ImageCmsProfile(io.BytesIO(profile)),
                ImageCms.createProfile("sRGB"),
                outputMode="RGB",
            )
        except ImageCms.PyCMSError:
            found = None  # a profile of another kind of picture: the plain colours are near enough
        if found is not None:
            return found
    return image.convert("RGB")


def _jpeg(image: Image.Image, side: int) -> Shrunk:
    small = image.copy()
    small.thumbnail((side, side), Image.Resampling.LANCZOS)
    # A new picture: nothing of what was noted beside the pixels comes along.
    clean = Image.new("RGB", small.size)
    clean.paste(small)
    target = io.BytesIO()
    quality = QUALITY if side > 800 else SMALL_QUALITY
    clean.save(target, "JPEG", quality=quality, optimize=True, progressive=True)
    return Shrunk(target.getvalue(), *clean.size)
