"""Which versions of vLLM the plugin has been run or checked on."""

from __future__ import annotations

import re

from .settings import ANY_VLLM

OLDEST = (0, 24)
NEWEST = (0, 32)


class UnsupportedVLLM(RuntimeError):
    """This vLLM is not one that the plugin knows."""


def check(version: str) -> None:
    """Raise UnsupportedVLLM unless a version is in the range, ends included."""
    match = re.match(r"(\d+)\.(\d+)", version)
    found = (int(match[1]), int(match[2])) if match else None
    if found is None or not OLDEST <= found <= NEWEST:
        raise UnsupportedVLLM(
            f"siglab-vllm knows vLLM {_text(OLDEST)} to {_text(NEWEST)}, this is {version or 'of no version'}: "
            f"use one of those, or set {ANY_VLLM}=1 to rely on the checks of the code that is replaced"
        )


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version))
