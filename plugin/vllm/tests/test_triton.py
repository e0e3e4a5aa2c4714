"""The Triton kernel in Triton's interpreter, which needs no GPU. On a GPU it is checked
by `python -m siglab_vllm.check_gpu`."""

import os
import unittest

os.environ.setdefault("TRITON_INTERPRET", "1")  # read when a kernel is defined

import torch
from golden import cases

from siglab_vllm import axis

# Coefficients and sums in float32, of values up to 4: a few units in the last place.
FLOAT32 = 4e-6

try:
    import triton  # noqa: F401

    missing = ""
except ImportError as e:
    missing = str(e)


@unittest.skipIf(missing, f"no Triton here: {missing}")
class Kernel(unittest.TestCase):
    def check(self, source: torch.Tensor, h: int, w: int, convention: str, tolerance: float, **shape: int) -> None:
        from siglab_vllm.triton_kernel import resample

        got = resample(source, h, w, convention, **shape)
        want = axis.resample_float64(source, h, w, convention).reshape(h * w, -1)
        torch.testing.assert_close(got.double(), want, rtol=tolerance, atol=tolerance)

    def test_goldens(self):
        for convention in ("bicubic", "bilinear-align-corners"):
            for name, source, want in cases(convention, "f64"):
                with self.subTest(name):
                    self.check(source.float(), want.shape[0], want.shape[1], convention, FLOAT32, strip=8, cols=4)

    def test_shapes_of_programs(self):
        source = torch.randn(9, 7, 300, generator=torch.Generator().manual_seed(1))
        for strip, cols, h, w in ((1, 1, 4, 5), (3, 2, 13, 6), (4, 4, 4, 5), (16, 1, 13, 6), (2, 2, 1, 9)):
            with self.subTest(f"{strip} {cols} {h}x{w}"):
                self.check(source, h, w, "bicubic", FLOAT32, strip=strip, cols=cols)

    def test_bfloat16(self):
        source = torch.randn(8, 8, 40, generator=torch.Generator().manual_seed(2)).bfloat16()
        self.check(source, 11, 12, "bicubic", 2**-7)  # the interpreter truncates, a GPU rounds

    def test_refuses_what_it_cannot_do(self):
        from siglab_vllm.triton_kernel import resample

        with self.assertRaisesRegex(ValueError, "knows no convention"):
            resample(torch.zeros(2, 2, 4), 3, 3, "bilinear-antialias")


if __name__ == "__main__":
    unittest.main()
