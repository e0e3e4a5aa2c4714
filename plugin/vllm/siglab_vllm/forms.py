"""The ways of computing a resampled table.

Each form takes a table [G, K, D] and returns [h·w, D], row by row, in the table's type.
`axis.resample_float64` is what all of them are checked against.
"""

from __future__ import annotations

import functools

import torch
import torch.nn.functional as F

from .axis import taps


def eager_bicubic(table: torch.Tensor, h: int, w: int) -> torch.Tensor:
    """As vLLM and transformers compute it: torch's bicubic on the table's type."""
    out = F.interpolate(_channels_first(table), size=(h, w), mode="bicubic", align_corners=False)
    return _rows(out)


def gather_bilinear(table: torch.Tensor, h: int, w: int) -> torch.Tensor:
    """The fast_interpolate_pos_encoding of vLLM's branch: indices and weights as float32
    tensors, four gathers, products and sums, each its own pass over memory."""
    size_y, size_x, dim = table.shape
    y = torch.linspace(0, size_y - 1, h, dtype=torch.float32, device=table.device)
    x = torch.linspace(0, size_x - 1, w, dtype=torch.float32, device=table.device)
    y0, x0 = y.floor().long(), x.floor().long()
    y1, x1 = (y0 + 1).clamp(max=size_y - 1), (x0 + 1).clamp(max=size_x - 1)
    dy, dx = (y - y0)[:, None], (x - x0)[None, :]
    corners = ((y0, x0), (y0, x1), (y1, x0), (y1, x1))
    index = torch.stack([(a[:, None] * size_x + b[None, :]).flatten() for a, b in corners])
    weight = torch.stack([p.flatten() for p in ((1 - dy) * (1 - dx), (1 - dy) * dx, dy * (1 - dx), dy * dx)])
    taken = table.reshape(-1, dim)[index] * weight[..., None]
    return (taken[0] + taken[1] + taken[2] + taken[3]).to(table.dtype)


def index_weight(table: torch.Tensor, h: int, w: int, convention: str) -> torch.Tensor:
    """Two passes of weighted sums of rows, first down the table, then along it: 8 reads
    per output of bicubic instead of 16. Weights are rounded once, to float32.

    It is also the form of bilinear-antialias: torch's own (2.13, on a CPU) is wrong where
    the result has one column.
    """
    size_y, size_x, dim = table.shape
    rows, row_weights = _on(convention, size_y, h, table.device)
    cols, col_weights = _on(convention, size_x, w, table.device)
    down = _bags(table.float().reshape(size_y, -1), rows, row_weights).view(h * size_x, dim)
    cells = (torch.arange(h, device=table.device)[:, None, None] * size_x + cols).view(h * w, -1)
    along = _bags(down, cells, col_weights.repeat(h, 1))
    return along.to(table.dtype)


def fused(table: torch.Tensor, h: int, w: int, convention: str) -> torch.Tensor:
    """One pass: a Triton kernel on a GPU, where there is one for the convention;
    elsewhere by indices and weights."""
    if fused_form(table.device, convention) == "triton":
        from .triton_kernel import resample

        return resample(table, h, w, convention)
    return index_weight(table, h, w, convention)


def fused_form(device: torch.device, convention: str) -> str:
    """How `fused` computes on a device."""
    triton = device.type == "cuda" and convention != "bilinear-antialias" and _has_triton()
    return "triton" if triton else "index-weight"


@functools.cache
def _has_triton() -> bool:
    try:
        import triton  # noqa: F401
    except ImportError:
        return False
    return True


@functools.lru_cache(maxsize=256)
def _on(convention: str, size: int, n: int, device: torch.device) -> tuple[torch.Tensor, torch.Tensor]:
    index, weight = taps(convention, size, n)
    return index.to(device), weight.to(device, torch.float32)


def _bags(rows: torch.Tensor, index: torch.Tensor, weight: torch.Tensor) -> torch.Tensor:
    return F.embedding_bag(index, rows, per_sample_weights=weight, mode="sum")


def _channels_first(table: torch.Tensor) -> torch.Tensor:
    return table.permute(2, 0, 1).unsqueeze(0)


def _rows(out: torch.Tensor) -> torch.Tensor:
    return out.permute(0, 2, 3, 1).reshape(-1, out.shape[1])
