"""Taps and weights of a resampling along one axis, in float64.

Resampling is separable: with size table rows and n output rows, row i of the result is
the sum of weight[i, k] times row index[i, k] of the table, and columns likewise.
"""

from __future__ import annotations

import functools

import torch

A = -0.75  # of cubic convolution, as in torch's bicubic

Taps = tuple[torch.Tensor, torch.Tensor]  # index int64 [n, k], weight float64 [n, k]


def cubic(size: int, n: int) -> Taps:
    """Four taps, half-pixel coordinates s = (i + 0.5)·size/n − 0.5; taps are clamped."""
    floor, t = _divide((2 * torch.arange(n) + 1) * size - n, 2 * n)
    weight = torch.stack([_far(t + 1), _near(t), _near(1 - t), _far(2 - t)], dim=1)
    index = (floor[:, None] + torch.arange(-1, 3)).clamp(0, size - 1)
    return index, weight


def linear_corners(size: int, n: int) -> Taps:
    """Two taps, aligned corners s = i·(size − 1)/(n − 1), 0 if n is 1."""
    floor, t = _divide(torch.arange(n) * (size - 1), max(n - 1, 1))
    index = torch.stack([floor, (floor + 1).clamp(max=size - 1)], dim=1)
    return index, torch.stack([1 - t, t], dim=1)


def triangle_antialias(size: int, n: int) -> Taps:
    """A triangle as wide as the step, s = (i + 0.5)·size/n; taps outside are dropped."""
    step = size / n
    width = max(step, 1.0)
    first, rows = [], []
    for i in range(n):
        centre = step * (i + 0.5)
        low, high = max(int(centre - width + 0.5), 0), min(int(centre + width + 0.5), size)
        raw = [max(0.0, 1 - abs((j - centre + 0.5) / width)) for j in range(low, high)]
        first.append(low)
        rows.append([w / sum(raw) for w in raw])
    most = max(map(len, rows))
    index = (torch.tensor(first)[:, None] + torch.arange(most)).clamp(max=size - 1)
    return index, torch.tensor([r + [0.0] * (most - len(r)) for r in rows], dtype=torch.float64)


KERNELS = {
    "bicubic": cubic,
    "bilinear-align-corners": linear_corners,
    "bilinear-antialias": triangle_antialias,
}


@functools.lru_cache(maxsize=256)
def taps(convention: str, size: int, n: int) -> Taps:
    """The taps of a convention, kept: a server sees few sizes."""
    return KERNELS[convention](size, n)


def matrix(convention: str, size: int, n: int) -> torch.Tensor:
    """The same as a dense float64 matrix [n, size]."""
    index, weight = taps(convention, size, n)
    return torch.zeros(n, size, dtype=torch.float64).scatter_add_(1, index, weight)


def resample_float64(table: torch.Tensor, h: int, w: int, convention: str) -> torch.Tensor:
    """The reference: table [G, K, D] to [h, w, D] in float64, by dense matrices."""
    rows = matrix(convention, table.shape[0], h).to(table.device)
    cols = matrix(convention, table.shape[1], w).to(table.device)
    return torch.einsum("yg,gkd,xk->yxd", rows, table.double(), cols)


def _divide(numerator: torch.Tensor, denominator: int) -> tuple[torch.Tensor, torch.Tensor]:
    """Floor and fraction of a ratio of integers; the fraction is rounded once."""
    floor = torch.div(numerator, denominator, rounding_mode="floor")
    return floor, (numerator - floor * denominator).double() / denominator


def _near(x: torch.Tensor) -> torch.Tensor:
    """Cubic convolution at a distance of at most 1."""
    return ((A + 2) * x - (A + 3)) * x * x + 1


def _far(x: torch.Tensor) -> torch.Tensor:
    """Cubic convolution at a distance from 1 to 2."""
    return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A
