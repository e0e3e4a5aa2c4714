"""What the places in vLLM that are changed have in common."""

from __future__ import annotations

import inspect
from typing import Any


class UnknownCode(RuntimeError):
    """vLLM's code is not what the plugin knows how to replace."""


def find(owner: Any, name: str, *parameters: str) -> Any:
    """A function of a class or module that has at least these parameters."""
    function = getattr(owner, name, None)
    if function is None:
        raise UnknownCode(f"this vLLM has no {_name(owner)}.{name}, which siglab-vllm replaces")
    missing = [p for p in parameters if p not in inspect.signature(function).parameters]
    if missing:
        raise UnknownCode(f"{_name(owner)}.{name} of this vLLM has no parameter {', '.join(missing)}, which siglab-vllm relies on")
    return function


def _name(owner: Any) -> str:
    return getattr(owner, "__qualname__", getattr(owner, "__name__", str(owner)))
