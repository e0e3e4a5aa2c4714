"""Times torch's ways of resampling a position table, for `siglab resample bench --against torch`.

Reads a JSON object from standard input: from, to (list), each [rows, cols], dim, dtype, threads, device,
conventions. Writes one JSON object per line: convention, implementation, to, ns, max_abs_err, or to and error.
"""

import json
import sys
import time

import torch
import torch.nn.functional as F

job = json.load(sys.stdin)
device = job["device"]
dtype = {"f32": torch.float32, "bf16": torch.bfloat16, "f16": torch.float16}[job["dtype"]]
rows, cols = job["from"]
dim = job["dim"]
if device == "cpu":
    torch.set_num_threads(job["threads"])
torch.manual_seed(0)
table = torch.randn(rows * cols, dim, device=device, dtype=torch.float32).to(dtype)

MODES = {
    "bicubic": dict(mode="bicubic", align_corners=False),
    "bicubic-align-corners": dict(mode="bicubic", align_corners=True),
    "bicubic-antialias": dict(mode="bicubic", align_corners=False, antialias=True),
    "bilinear": dict(mode="bilinear", align_corners=False),
    "bilinear-align-corners": dict(mode="bilinear", align_corners=True),
    "bilinear-antialias": dict(mode="bilinear", align_corners=False, antialias=True),
}


def interpolate(source, convention, height, width):
    image = source.view(1, rows, cols, dim).permute(0, 3, 1, 2)
    result = F.interpolate(image, size=(height, width), **MODES[convention])
    return result.permute(0, 2, 3, 1).reshape(height * width, dim)


def gather(source, height, width):
    """The seed's bilinear-align-corners: index and weight tensors, four gathers, products and sums."""
    y = torch.linspace(0, rows - 1, height, device=device)
    x = torch.linspace(0, cols - 1, width, device=device)
    y0, x0 = y.long(), x.long()
    y1, x1 = (y0 + 1).clamp(max=rows - 1), (x0 + 1).clamp(max=cols - 1)
    dy, dx = (y - y0)[:, None], (x - x0)[None, :]
    weights = torch.stack([((1 - dy) * (1 - dx)).flatten(), ((1 - dy) * dx).flatten(), (dy * (1 - dx)).flatten(), (dy * dx).flatten()])
    index = torch.stack([(a[:, None] * cols + b[None, :]).flatten() for a in (y0, y1) for b in (x0, x1)])
    taps = source[index] * weights[:, :, None]
    return (taps[0] + taps[1] + taps[2] + taps[3]).to(source.dtype)


def synchronize():
    if device != "cpu":
        torch.cuda.synchronize()


def median(call, calls=1):
    call()
    synchronize()
    times = []
    start = time.perf_counter()
    while len(times) < 9 or time.perf_counter() - start < 0.2:
        begin = time.perf_counter()
        call()
        synchronize()
        times.append((time.perf_counter() - begin) / calls * 1e9)
        if time.perf_counter() - start > 5 and len(times) >= 3:
            break
    return sorted(times)[len(times) // 2]


def graphed(call, calls=20):
    """On a GPU: the call, captured as often in a CUDA graph, without what launching costs."""
    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(3):
            call()
    torch.cuda.current_stream().wait_stream(stream)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        for _ in range(calls):
            call()
    return median(graph.replay, calls)


def say(**row):
    print(json.dumps(row), flush=True)


def compiled(call):
    torch._dynamo.reset()
    return torch.compile(call, dynamic=False)


say(version=torch.__version__, name=torch.cuda.get_device_name() if device != "cpu" else "")
for height, width in job["to"]:
    for convention in job["conventions"]:
        forms = []
        if convention in MODES:
            forms.append(("interpolate", lambda: interpolate(table, convention, height, width)))
        if convention == "bilinear-align-corners":
            forms.append(("gather", lambda: gather(table, height, width)))
        for name, call in forms:
            truth = interpolate(table.double(), convention, height, width)
            for kind, make in (("eager", lambda call=call: call), ("compile", lambda call=call: compiled(call))):
                row = dict(convention=convention, implementation=f"torch {name} {kind}", to=[height, width])
                try:
                    run = make()
                    error = (run().double() - truth).abs().max().item()
                    say(**row, ns=median(run), max_abs_err=error)
                    if device != "cpu":
                        row["implementation"] += " graph"
                        say(**row, ns=graphed(run), max_abs_err=error)
                except Exception as reason:  # a form that does not run here is a row, not the end
                    say(**row, error=str(reason).strip().splitlines()[0][:200] if str(reason).strip() else repr(reason))
