"""Times a SigLIP-So400m tower in torch: the other side of `make bench-engine`.

Reads lines "float32 256" (type and number of patches), runs the tower once for each and
answers with the seconds that it took and those that all its threads computed. Weights
are random: the work is the same.
"""

import sys
import time

import torch
from torch import nn
from torch.nn import functional

HIDDEN, LAYERS, HEADS, MLP, PATCH = 1152, 27, 16, 4304, 14


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm1, self.norm2 = nn.LayerNorm(HIDDEN, eps=1e-6), nn.LayerNorm(HIDDEN, eps=1e-6)
        self.q, self.k, self.v, self.out = (nn.Linear(HIDDEN, HIDDEN) for _ in range(4))
        self.up, self.down = nn.Linear(HIDDEN, MLP), nn.Linear(MLP, HIDDEN)

    def forward(self, x):
        y = self.norm1(x)
        q, k, v = (f(y).view(1, -1, HEADS, HIDDEN // HEADS).transpose(1, 2) for f in (self.q, self.k, self.v))
        y = functional.scaled_dot_product_attention(q, k, v)
        x = x + self.out(y.transpose(1, 2).reshape(x.shape))
        return x + self.down(functional.gelu(self.up(self.norm2(x)), approximate="tanh"))


class Tower(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(3, HIDDEN, PATCH, PATCH)
        self.blocks = nn.Sequential(*(Block() for _ in range(LAYERS)))
        self.norm = nn.LayerNorm(HIDDEN, eps=1e-6)

    def forward(self, pixels, positions):
        x = self.patch(pixels).flatten(2).transpose(1, 2) + positions
        return self.norm(self.blocks(x))


def main():
    torch.set_num_threads(int(sys.argv[1]))
    torch.manual_seed(0)
    towers = {}
    print(f"torch {torch.__version__} {torch.backends.cpu.get_cpu_capability()}", flush=True)
    with torch.inference_mode():
        for line in sys.stdin:
            name, patches = line.split()
            dtype = getattr(torch, name)
            if dtype not in towers:
                towers = {dtype: Tower().to(dtype).eval()}  # one at a time, for their memory
            side = round(int(patches) ** 0.5)
            pixels = torch.rand(1, 3, side * PATCH, side * PATCH, dtype=dtype)
            positions = torch.rand(1, side * side, HIDDEN, dtype=dtype)
            start, computed = time.perf_counter(), time.process_time()
            towers[dtype](pixels, positions)
            print(time.perf_counter() - start, time.process_time() - computed, flush=True)


main()
