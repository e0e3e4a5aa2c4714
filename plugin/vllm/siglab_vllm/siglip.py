"""Hook: the position embeddings of vLLM's siglip.py (PaliGemma, LLaVA, Gemma 3, …).

No model of vLLM asks its SigLIP tower to interpolate, so its forward is told to.
"""

from __future__ import annotations

import functools
from types import ModuleType, SimpleNamespace

import torch

from .hook import find
from .resampler import Resampler


def fault(module: ModuleType) -> str:
    """What is wrong with vLLM's own interpolation, "" if nothing is: since 2026-01 it
    takes the table's width for its number of positions. It is tried, on a table of 2x2
    positions of 12 channels that becomes 2x3, not looked up by version."""
    own = find(module.SiglipVisionEmbeddings, "interpolate_pos_encoding", "embeddings", "height", "width")
    stub = SimpleNamespace(patch_size=1, position_embedding=torch.nn.Embedding(4, 12), position_ids=torch.arange(4)[None])
    try:
        with torch.no_grad():
            shape = tuple(own(stub, torch.zeros(1, 6, 12), 2, 3).shape)
    except (RuntimeError, AttributeError) as e:
        return str(e)
    return "" if shape == (1, 6, 12) else f"a 2x3 grid got a result of shape {shape}"


def install(module: ModuleType, resampler: Resampler) -> None:
    """Let every tower of the module resample by the resampler."""
    embeddings = find(module, "SiglipVisionEmbeddings")
    find(embeddings, "interpolate_pos_encoding", "embeddings", "height", "width")
    own_forward = find(embeddings, "forward", "pixel_values", "interpolate_pos_encoding")

    def interpolate_pos_encoding(self, embeddings: torch.Tensor, height: int, width: int) -> torch.Tensor:
        """Positions of an image of height x width pixels: [1, patches, D]."""
        table = self.position_embedding.weight
        return resampler(table, height // self.patch_size, width // self.patch_size).unsqueeze(0)

    @functools.wraps(own_forward)
    def forward(self, pixel_values: torch.Tensor, interpolate_pos_encoding: bool = True) -> torch.Tensor:
        return own_forward(self, pixel_values, interpolate_pos_encoding=True)

    embeddings.interpolate_pos_encoding = interpolate_pos_encoding
    embeddings.forward = forward
