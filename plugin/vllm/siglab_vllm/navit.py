"""Hook: the position embeddings of vLLM's siglip2navit.py (Ovis2.5).

Its forward resamples the table for each image by a call of F.interpolate, among code
that orders patches for the merger. So F, as that module sees it, is replaced by one
whose bicubic is the resampler's; everything else is torch's.
"""

from __future__ import annotations

import inspect
from types import ModuleType
from typing import Any

import torch
import torch.nn.functional as F

from .hook import UnknownCode, find
from .resampler import Resampler

_CALL = "F.interpolate("


class Functional:
    """torch.nn.functional with another bicubic."""

    def __init__(self, resampler: Resampler) -> None:
        self._resampler = resampler

    def __getattr__(self, name: str) -> Any:
        return getattr(F, name)

    def interpolate(self, input: torch.Tensor, size: Any = None, scale_factor: Any = None, mode: str = "nearest", **options: Any) -> torch.Tensor:
        """F.interpolate, by the resampler where it is the position table's."""
        if mode != "bicubic" or size is None or input.dim() != 4 or input.shape[0] != 1:
            return F.interpolate(input, size=size, scale_factor=scale_factor, mode=mode, **options)
        h, w = (int(n) for n in size)
        table = input[0].permute(1, 2, 0)
        return self._resampler(table, h, w).view(1, h, w, -1).permute(0, 3, 1, 2)


def install(module: ModuleType, resampler: Resampler) -> None:
    """Let every tower of the module resample by the resampler."""
    forward = find(find(module, "Siglip2VisionEmbeddings"), "forward", "pixel_values", "grid_thws")
    source = inspect.getsource(forward)
    if getattr(module, "F", None) is not F or source.count(_CALL) != 1 or 'mode="bicubic"' not in source:
        raise UnknownCode(f"{module.__name__} of this vLLM does not resample by one {_CALL}mode=\"bicubic\"), which siglab-vllm replaces")
    module.F = Functional(resampler)
