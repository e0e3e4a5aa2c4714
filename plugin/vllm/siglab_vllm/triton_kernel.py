"""Separable resampling as one Triton kernel.

A program owns COLS output columns and BLOCK channels of a strip of output rows, and
walks down the table with the last four of its rows, resampled along their columns, in
registers: a table row is read and resampled once per strip, not once per output row.
Coordinates are ratios of integers, so their floors are exact and their fractions are
rounded once; sums are float32.
"""

from __future__ import annotations

import torch
import triton
import triton.language as tl

_BLOCK = 256  # channels of a program: 16 bytes of bfloat16 for each thread of a warp


@triton.jit
def _ratio(i, size, n, CORNERS: tl.constexpr):
    """Floor and fraction of the source coordinate of output index i."""
    if CORNERS:
        top = i * (size - 1)
        bottom = tl.maximum(n - 1, 1)
    else:
        top = (2 * i + 1) * size - n + 2 * n  # above 0, where division rounds down
        bottom = 2 * n
    floor = top // bottom
    t = (top - floor * bottom).to(tl.float32) / bottom
    if not CORNERS:
        floor = floor - 1
    return floor, t


@triton.jit
def _weights(t, CORNERS: tl.constexpr):
    """Weights of the rows floor − 1 … floor + 2."""
    if CORNERS:
        zero = t * 0
        return zero, 1 - t, t, zero
    u = 1 - t
    a = -0.75
    w0 = ((a * (t + 1) - 5 * a) * (t + 1) + 8 * a) * (t + 1) - 4 * a
    w1 = ((a + 2) * t - (a + 3)) * t * t + 1
    w2 = ((a + 2) * u - (a + 3)) * u * u + 1
    w3 = ((a * (u + 1) - 5 * a) * (u + 1) + 8 * a) * (u + 1) - 4 * a
    return w0, w1, w2, w3


@triton.jit
def _across(table, row, G, K, D, x0, x1, x2, x3, w0, w1, w2, w3, c, mask, CORNERS: tl.constexpr):
    """A table row resampled along its columns: float32 [COLS, BLOCK]."""
    at = table + tl.minimum(tl.maximum(row, 0), G - 1) * K * D + c
    v = tl.load(at + x1 * D, mask=mask, other=0).to(tl.float32) * w1
    v += tl.load(at + x2 * D, mask=mask, other=0).to(tl.float32) * w2
    if not CORNERS:
        v += tl.load(at + x0 * D, mask=mask, other=0).to(tl.float32) * w0
        v += tl.load(at + x3 * D, mask=mask, other=0).to(tl.float32) * w3
    return v


@triton.jit(do_not_specialize=["G", "K", "H", "W"])
def _resample(table, out, G, K, H, W, D, STRIP: tl.constexpr, COLS: tl.constexpr, BLOCK: tl.constexpr, CORNERS: tl.constexpr):
    """table [G, K, D] to out [H, W, D]."""
    x = tl.program_id(0) * COLS + tl.arange(0, COLS)
    y = tl.program_id(1) * STRIP
    c = (tl.program_id(2) * BLOCK + tl.arange(0, BLOCK))[None, :]
    mask = (x < W)[:, None] & (c < D)

    left, t = _ratio(x, K, W, CORNERS)
    w0, w1, w2, w3 = _weights(t[:, None], CORNERS)
    x0 = tl.minimum(tl.maximum(left - 1, 0), K - 1)[:, None]
    x1 = tl.minimum(tl.maximum(left, 0), K - 1)[:, None]
    x2 = tl.minimum(tl.maximum(left + 1, 0), K - 1)[:, None]
    x3 = tl.minimum(tl.maximum(left + 2, 0), K - 1)[:, None]

    base, t = _ratio(y, G, H, CORNERS)
    r0 = _across(table, base - 1, G, K, D, x0, x1, x2, x3, w0, w1, w2, w3, c, mask, CORNERS)
    r1 = _across(table, base, G, K, D, x0, x1, x2, x3, w0, w1, w2, w3, c, mask, CORNERS)
    r2 = _across(table, base + 1, G, K, D, x0, x1, x2, x3, w0, w1, w2, w3, c, mask, CORNERS)
    r3 = _across(table, base + 2, G, K, D, x0, x1, x2, x3, w0, w1, w2, w3, c, mask, CORNERS)
    end = tl.minimum(y + STRIP, H)
    while y < end:
        first, t = _ratio(y, G, H, CORNERS)
        while base < first:
            base += 1
            r0 = r1
            r1 = r2
            r2 = r3
            r3 = _across(table, base + 2, G, K, D, x0, x1, x2, x3, w0, w1, w2, w3, c, mask, CORNERS)
        v0, v1, v2, v3 = _weights(t, CORNERS)
        v = r1 * v1 + r2 * v2
        if not CORNERS:
            v = r0 * v0 + r3 * v3 + v
        tl.store(out + (y * W + x[:, None]) * D + c, v.to(out.dtype.element_ty), mask=mask)
        y += 1


def resample(table: torch.Tensor, h: int, w: int, convention: str, strip: int | None = None, cols: int | None = None) -> torch.Tensor:
    """Resample a table [G, K, D] to [h·w, D]: bicubic or bilinear-align-corners.

    strip and cols are how many output rows and columns a program has; left out, they
    follow from how many programs keep a GPU busy.
    """
    size_y, size_x, dim = table.shape
    if convention not in ("bicubic", "bilinear-align-corners"):
        raise ValueError(f"the Triton kernel knows no convention {convention!r}")
    if max(table.numel(), h * w * dim) >= 2**31:
        raise ValueError(f"{size_y}x{size_x} to {h}x{w} of {dim} channels: the Triton kernel counts in 32 bits")
    out = torch.empty(h * w, dim, dtype=table.dtype, device=table.device)
    chosen_strip, chosen_cols = _shape(h, w)
    strip, cols = strip or chosen_strip, cols or chosen_cols
    grid = (triton.cdiv(w, cols), triton.cdiv(h, strip), triton.cdiv(dim, _BLOCK))
    _resample[grid](
        table.contiguous(), out, size_y, size_x, h, w, dim,
        STRIP=strip, COLS=cols, BLOCK=_BLOCK, CORNERS=convention == "bilinear-align-corners", num_warps=cols,
    )  # fmt: skip
    return out


def _shape(h: int, w: int) -> tuple[int, int]:
    """Rows and columns of a program: long strips read less, short ones are more
    programs; small grids need all the programs that they can have."""
    cells = h * w
    if cells < 32 * 32:
        return 1, 1
    if cells < 48 * 48:
        return 2, 1
    return (8, 1) if cells < 96 * 96 else (16, 2)
