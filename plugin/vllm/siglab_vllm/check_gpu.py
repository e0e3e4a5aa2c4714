"""Checks and times the Triton kernel on a GPU.

    python -m siglab_vllm.check_gpu [--from 32] [--to 24,36,64,73,128] [--dim 1152] [--tune]

It needs torch, Triton and a GPU, and no vLLM. First every result is compared with
float64, and so is torch's own bicubic; then times are printed, each the median of
repeated measurements, launched one by one ("eager") and from a CUDA graph, beside a copy
of the result, which is the least that any form can take. The exit code is 1 if a result
is wrong, 2 if there is no GPU.
"""

from __future__ import annotations

import argparse
import statistics
import sys
from collections.abc import Callable

import torch
import torch.nn.functional as F

from . import forms
from .axis import resample_float64

Form = Callable[[torch.Tensor, int, int], torch.Tensor]

# Share of results that must be float64's, rounded once, and largest error of the rest in
# float32; 16-bit types are off by one unit in the last place at most where a sum in
# float32 falls on the other side of a tie.
LEAST_ROUNDED = {torch.bfloat16: 0.998, torch.float16: 0.98, torch.float32: 0.0}
MOST_FLOAT32 = 1e-5

# Where both neighbours are equally near but for float64's own rounding, either is right:
# linear weights of small grids have small denominators, and make many ties.
TIE = 1e-12

ODD_GRIDS = ((5, 7), (1, 30), (30, 1), (1, 1), (33, 31), (128, 20))


def triton_bicubic(table: torch.Tensor, h: int, w: int) -> torch.Tensor:
    from .triton_kernel import resample

    return resample(table, h, w, "bicubic")


def triton_bilinear(table: torch.Tensor, h: int, w: int) -> torch.Tensor:
    from .triton_kernel import resample

    return resample(table, h, w, "bilinear-align-corners")


def torch_bilinear(table: torch.Tensor, h: int, w: int) -> torch.Tensor:
    out = F.interpolate(table.permute(2, 0, 1).unsqueeze(0), size=(h, w), mode="bilinear", align_corners=True)
    return out.permute(0, 2, 3, 1).reshape(h * w, -1)


def check(table: torch.Tensor, h: int, w: int, form: Form, convention: str) -> tuple[float, float, float]:
    """Largest error, relative L2 error, and share of correctly rounded results."""
    got = form(table, h, w)
    exact = resample_float64(table, h, w, convention).reshape(h * w, -1)
    error = got.double() - exact
    nearest = exact.to(got.dtype)
    tie = error.abs() - (nearest.double() - exact).abs() <= TIE * exact.abs()
    rounded = ((got == nearest) | tie).double().mean().item()
    return error.abs().max().item(), (error.norm() / exact.norm()).item(), rounded


def check_all(size: int, targets: list[int], dim: int, device: torch.device) -> bool:
    """Print errors of all types and grids; whether the kernel's are within bounds."""
    print(f"\nErrors against float64, table {size}x{size}x{dim}")
    print(f"{'type':9} {'to':9} {'form':28} {'max abs':>10} {'rel L2':>10} {'rounded':>9}")
    ok = True
    for dtype in (torch.bfloat16, torch.float16, torch.float32):
        table = torch.randn(size, size, dim, generator=torch.Generator().manual_seed(0)).to(device, dtype)
        for h, w in [(n, n) for n in targets] + list(ODD_GRIDS):
            for name, form, convention in (
                ("triton bicubic", triton_bicubic, "bicubic"),
                ("triton bilinear-align-corners", triton_bilinear, "bilinear-align-corners"),
                ("torch bicubic", forms.eager_bicubic, "bicubic"),
            ):
                largest, relative, rounded = check(table, h, w, form, convention)
                bad = name.startswith("triton") and (rounded < LEAST_ROUNDED[dtype] or dtype is torch.float32 and largest > MOST_FLOAT32)
                ok = ok and not bad
                print(f"{str(dtype)[6:]:9} {f'{h}x{w}':9} {name:28} {largest:10.2e} {relative:10.2e} {100 * rounded:8.2f}%{'  WRONG' if bad else ''}")
    return ok


def microseconds(run: Callable[[], object], graph: bool) -> float:
    """The median time of a call, of 7 measurements of about 20 ms."""
    side = torch.cuda.Stream()
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(3):
            run()
    torch.cuda.current_stream().wait_stream(side)
    once = max(_elapsed(run, 1), 1e-3)
    calls = int(min(max(20 / once, 3), 200))
    if not graph:
        return 1000 * statistics.median(_elapsed(run, calls) / calls for _ in range(7))
    captured = torch.cuda.CUDAGraph()
    with torch.cuda.graph(captured):
        for _ in range(calls):
            run()
    captured.replay()
    return 1000 * statistics.median(_elapsed(captured.replay, 1) / calls for _ in range(7))


def _elapsed(run: Callable[[], object], calls: int) -> float:
    start, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
    start.record()
    for _ in range(calls):
        run()
    end.record()
    end.synchronize()
    return start.elapsed_time(end)


def time_all(size: int, targets: list[int], dim: int, device: torch.device) -> None:
    """Print the times of all forms, in microseconds, for a bfloat16 table."""
    print(f"\nMicroseconds per call, table {size}x{size}x{dim} in bfloat16")
    print("to".ljust(44) + "".join(f"{f'{n}x{n}':>11}" for n in targets))
    table = torch.randn(size, size, dim, device=device).bfloat16()
    rows: list[tuple[str, Form]] = [
        ("torch bicubic", forms.eager_bicubic),
        ("branch's bilinear, by gathers", forms.gather_bilinear),
        ("torch bilinear, aligned corners", torch_bilinear),
        ("triton bicubic", triton_bicubic),
        ("triton bilinear-align-corners", triton_bilinear),
        ("index-weight bicubic", lambda t, h, w: forms.index_weight(t, h, w, "bicubic")),
    ]
    for name, form in rows:
        for graph in (False, True):
            print_row(f"{name} ({'graph' if graph else 'eager'})", targets, lambda n, form=form, graph=graph: microseconds(lambda: form(table, n, n), graph))
    print_row("a copy of the result (graph)", targets, lambda n: copy_time(n, dim, device))


def print_row(name: str, targets: list[int], measure: Callable[[int], float]) -> None:
    """One line of times; a form that fails is named, and the others go on."""
    cells = []
    for n in targets:
        try:
            cells.append(f"{measure(n):11.1f}")
        except RuntimeError as e:
            cells.append(f"{'failed':>11}")
            print(f"{name}, {n}x{n}: {e}", file=sys.stderr)
    print(name.ljust(44) + "".join(cells), flush=True)


def copy_time(n: int, dim: int, device: torch.device) -> float:
    source = torch.randn(n * n, dim, device=device).bfloat16()
    target = torch.empty_like(source)
    return microseconds(lambda: target.copy_(source), graph=True)


def tune(size: int, targets: list[int], dim: int, device: torch.device) -> None:
    """Print the kernel's times for each shape of its programs."""
    from .triton_kernel import resample

    print("\nThe kernel's times in microseconds (graph) by rows x columns of a program")
    table = torch.randn(size, size, dim, device=device).bfloat16()
    for strip in (1, 2, 4, 8, 16, 32):
        for cols in (1, 2, 4):
            print_row(
                f"{strip}x{cols}", targets,
                lambda n, strip=strip, cols=cols: microseconds(lambda: resample(table, n, n, "bicubic", strip, cols), graph=True),
            )  # fmt: skip


def main() -> int:
    """Check, then time."""
    parser = argparse.ArgumentParser(prog="python -m siglab_vllm.check_gpu", description="Check and time the Triton kernel on a GPU.")
    parser.add_argument("--from", dest="size", type=int, default=32, help="side of the table's grid (32)")
    parser.add_argument("--to", default="24,36,64,73,128", help="sides of the results' grids")
    parser.add_argument("--dim", type=int, default=1152, help="channels (1152)")
    parser.add_argument("--tune", action="store_true", help="also try all shapes of programs")
    options = parser.parse_args()
    targets = [int(n) for n in options.to.split(",")]
    if not torch.cuda.is_available():
        print("check_gpu: torch sees no GPU", file=sys.stderr)
        return 2
    import triton

    device = torch.device("cuda")
    print(f"{torch.cuda.get_device_name(device)}, torch {torch.__version__}, Triton {triton.__version__}, CUDA {torch.version.cuda}")
    torch.manual_seed(0)
    with torch.inference_mode():
        ok = check_all(options.size, targets, options.dim, device)
        time_all(options.size, targets, options.dim, device)
        if options.tune:
            tune(options.size, targets, options.dim, device)
    print("\nall results of the kernel are within bounds" if ok else "\nSome results of the kernel are WRONG")
    return 0 if ok else 1


if __name__ == "__main__":
    sys.exit(main())
