"""A mode at work: which form runs, what is kept, what the log says."""

from __future__ import annotations

import logging
import math
from collections import OrderedDict

import torch

from . import forms
from .settings import Mode

MOST_KEPT = 64  # resampled tables; a server sees few grids


class Resampler:
    """Resamples tables in one mode. Not for several threads at once: vLLM runs its
    vision tower in one."""

    def __init__(self, mode: Mode, log: logging.Logger, debug: bool = False) -> None:
        self.mode = mode
        self.calls = 0
        self._log = log
        self._debug = debug
        self._kept: OrderedDict[tuple, tuple[torch.Tensor, torch.Tensor]] = OrderedDict()

    def __call__(self, table: torch.Tensor, h: int, w: int) -> torch.Tensor:
        """Resample a table [G·G, D] or [G, K, D] to [h·w, D]. Equal grids are the table
        itself, bit for bit."""
        table = square(table.detach())
        rows, cols, dim = table.shape
        self.calls += 1
        if (rows, cols) == (h, w):
            self._tell("unchanged: equal grids", table, h, w)
            return table.reshape(rows * cols, dim)
        if h < 1 or w < 1:
            raise ValueError(f"a grid of {h}x{w} patches has no positions: the image is smaller than a patch")
        out, form = self._compute(table, h, w)
        self._tell(f"form={form}", table, h, w)
        return out

    def _compute(self, table: torch.Tensor, h: int, w: int) -> tuple[torch.Tensor, str]:
        match self.mode:
            case Mode.REFERENCE:
                return forms.eager_bicubic(table, h, w), "eager"
            case Mode.BILINEAR:
                if self._debug:
                    self._log.info("[SIGLIP] fast_interpolate called: h=%d, w=%d", h, w)
                return forms.gather_bilinear(table, h, w), "gathers"
            case Mode.BILINEAR_FUSED:
                if self._debug:
                    self._log.info("[SIGLIP] fast_interpolate called: h=%d, w=%d", h, w)
            case Mode.CACHED:
                return self._cached(table, h, w)
        return forms.fused(table, h, w, self.mode.convention), forms.fused_form(table.device, self.mode.convention)

    def _cached(self, table: torch.Tensor, h: int, w: int) -> tuple[torch.Tensor, str]:
        """Resample once per table and grid. A kept table is held, so that its address is
        not another's; one that is written to has another version."""
        version = None if table.is_inference() else table._version
        key = (table.data_ptr(), version, table.shape, table.dtype, table.device, h, w)
        if key in self._kept:
            self._kept.move_to_end(key)
            return self._kept[key][1], "kept"
        out = forms.fused(table, h, w, self.mode.convention)
        self._kept[key] = (table, out)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
        return out, forms.fused_form(table.device, self.mode.convention)

    def _tell(self, what: str, table: torch.Tensor, h: int, w: int) -> None:
        if self._debug:
            self._log.info(
                "[SIGLIP] resampled: mode=%s convention=%s %s device=%s dtype=%s from=%dx%d h=%d, w=%d call=%d",
                self.mode.value, self.mode.convention, what, table.device.type, str(table.dtype).removeprefix("torch."),
                table.shape[0], table.shape[1], h, w, self.calls,
            )  # fmt: skip


def square(table: torch.Tensor) -> torch.Tensor:
    """A table as [G, K, D]; one of rows alone, [G·G, D], is square."""
    if table.dim() == 3:
        return table
    count, dim = table.shape
    side = math.isqrt(count)
    if side * side != count:
        raise ValueError(f"a table of {count} positions is no square grid")
    return table.reshape(side, side, dim)
