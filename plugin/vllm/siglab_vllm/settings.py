"""What the environment asks for."""

from __future__ import annotations

import enum
import re
from collections.abc import Mapping
from dataclasses import dataclass

POS_EMBED = "SIGLAB_POS_EMBED"
IMAGE_SIZE = "SIGLAB_IMAGE_SIZE"
ANY_VLLM = "SIGLAB_ANY_VLLM"
DEBUG = "VLLM_DEBUG_SIGLIP"

MOST_PIXELS = 4096  # of a side; a tower would need more memory than there is


class Mode(enum.Enum):
    """A convention together with a way of computing it; the names are siglab's."""

    REFERENCE = "reference"
    BILINEAR = "bilinear"
    BILINEAR_FUSED = "bilinear-fused"
    EXACT = "exact"
    CACHED = "cached"
    ANTIALIAS = "antialias"

    @property
    def convention(self) -> str:
        """Coordinates and kernel, by siglab's name."""
        if self in (Mode.BILINEAR, Mode.BILINEAR_FUSED):
            return "bilinear-align-corners"
        return "bilinear-antialias" if self is Mode.ANTIALIAS else "bicubic"


ALIASES = {"bicubic": Mode.REFERENCE}


@dataclass(frozen=True)
class Settings:
    """What is asked for. The image size is (height, width) in pixels."""

    mode: Mode
    image_size: tuple[int, int] | None = None
    debug: bool = False
    any_vllm: bool = False

    @classmethod
    def from_environ(cls, environ: Mapping[str, str]) -> Settings | None:
        """Read the environment; None if it asks for nothing. Raises ValueError."""
        mode, size = environ.get(POS_EMBED, ""), environ.get(IMAGE_SIZE, "")
        if not mode and not size:
            return None
        return cls(
            mode=parse_mode(mode) if mode else Mode.REFERENCE,
            image_size=parse_size(size) if size else None,
            debug=parse_flag(DEBUG, environ),
            any_vllm=parse_flag(ANY_VLLM, environ),
        )


def parse_mode(text: str) -> Mode:
    """Read a mode's name."""
    if text in ALIASES:
        return ALIASES[text]
    try:
        return Mode(text)
    except ValueError:
        names = ", ".join([m.value for m in Mode] + sorted(ALIASES))
        raise ValueError(f"{POS_EMBED}={text!r} is no mode; write one of {names}") from None


def parse_size(text: str) -> tuple[int, int]:
    """Read N or HxW, in pixels."""
    match = re.fullmatch(r"(\d{1,5})(?:[xX](\d{1,5}))?", text, re.ASCII)
    if not match:
        raise ValueError(f"{IMAGE_SIZE}={text!r} is no size; write N or HxW in pixels, such as 448 or 448x336")
    height = int(match[1])
    width = int(match[2] or match[1])
    if not (0 < height <= MOST_PIXELS and 0 < width <= MOST_PIXELS):
        raise ValueError(f"{IMAGE_SIZE}={text!r}: a side has 1 to {MOST_PIXELS} pixels")
    return height, width


def parse_flag(name: str, environ: Mapping[str, str]) -> bool:
    """Read 0 or 1; unset is 0."""
    text = environ.get(name, "")
    if text not in ("", "0", "1"):
        raise ValueError(f"{name}={text!r}: write 1 for yes, 0 for no")
    return text == "1"
