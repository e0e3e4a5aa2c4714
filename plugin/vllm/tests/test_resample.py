"""Each mode against float64: golden values of the Go library, and the plugin's own
reference, which must give the same."""

import logging
import unittest

import torch
from golden import cases

from siglab_vllm import axis, forms
from siglab_vllm.resampler import MOST_KEPT, Resampler
from siglab_vllm.settings import Mode

LOG = logging.getLogger("test")

# torch's float32 coordinates put its results up to 1.1e-5 from the truth; its bfloat16
# kernels round more than once.
FLOAT32 = 3e-5
BFLOAT16 = 2**-6


def table(rows: int, cols: int, dim: int, dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.randn(rows, cols, dim, generator=torch.Generator().manual_seed(7)).to(dtype)


class Goldens(unittest.TestCase):
    def test_reference_in_float64(self):
        for convention in axis.KERNELS:
            found = cases(convention, "f64")
            self.assertTrue(found)
            for name, source, want in found:
                with self.subTest(name):
                    got = axis.resample_float64(source, want.shape[0], want.shape[1], convention)
                    torch.testing.assert_close(got, want, rtol=0, atol=1e-12)

    def test_every_mode(self):
        for mode in Mode:
            for name, source, want in cases(mode.convention, "f64"):
                with self.subTest(f"{mode.value} {name}"):
                    got = Resampler(mode, LOG)(source.float(), want.shape[0], want.shape[1])
                    self.assertEqual(got.shape, (want.shape[0] * want.shape[1], want.shape[2]))
                    torch.testing.assert_close(got.double(), want.reshape(got.shape), rtol=0, atol=FLOAT32)

    def test_bfloat16_tables(self):
        source = table(16, 16, 24, torch.bfloat16)
        for mode in Mode:
            for h, w in ((24, 24), (32, 18), (5, 7), (1, 30)):
                with self.subTest(f"{mode.value} {h}x{w}"):
                    got = Resampler(mode, LOG)(source, h, w)
                    self.assertEqual(got.dtype, torch.bfloat16)
                    want = axis.resample_float64(source, h, w, mode.convention).reshape(got.shape)
                    torch.testing.assert_close(got.double(), want, rtol=BFLOAT16, atol=BFLOAT16)


class Modes(unittest.TestCase):
    def test_fused_forms_round_once(self):
        source = table(16, 16, 64, torch.bfloat16)
        for mode in (Mode.EXACT, Mode.CACHED, Mode.BILINEAR_FUSED):
            want = axis.resample_float64(source, 24, 20, mode.convention).reshape(-1, 64).bfloat16()
            same = (Resampler(mode, LOG)(source, 24, 20) == want).double().mean().item()
            self.assertGreater(same, 0.999, mode)

    def test_equal_grids_are_the_table(self):
        source = table(6, 6, 5)
        source[0, 0] = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45, 3.4e38])
        for mode in Mode:
            got = Resampler(mode, LOG)(source.reshape(36, 5), 6, 6)
            self.assertTrue(torch.equal(got.view(torch.int32), source.reshape(36, 5).view(torch.int32)), mode)

    def test_constant_tables_stay(self):
        for mode in Mode:
            got = Resampler(mode, LOG)(torch.full((49, 3), 1.7), 10, 12)
            torch.testing.assert_close(got, torch.full_like(got, 1.7), rtol=1e-6, atol=0)

    def test_bad_grids(self):
        resampler = Resampler(Mode.EXACT, LOG)
        with self.assertRaisesRegex(ValueError, "no square"):
            resampler(torch.zeros(12, 3), 4, 4)
        with self.assertRaisesRegex(ValueError, "smaller than a patch"):
            resampler(torch.zeros(9, 3), 0, 4)


class Cache(unittest.TestCase):
    def test_kept_once_per_grid(self):
        resampler = Resampler(Mode.CACHED, LOG)
        source = table(4, 4, 3)
        first = resampler(source, 6, 5)
        self.assertIs(resampler(source, 6, 5), first)
        self.assertIsNot(resampler(source, 5, 6), first)

    def test_written_tables_are_computed_anew(self):
        resampler = Resampler(Mode.CACHED, LOG)
        source = table(4, 4, 3)
        first = resampler(source, 6, 5).clone()
        source.mul_(2)
        torch.testing.assert_close(resampler(source, 6, 5), 2 * first)

    def test_bounded(self):
        resampler = Resampler(Mode.CACHED, LOG)
        source = table(4, 4, 3)
        for n in range(5, 5 + 2 * MOST_KEPT):
            resampler(source, n, 5)
        self.assertEqual(len(resampler._kept), MOST_KEPT)

    def test_in_inference_mode(self):
        with torch.inference_mode():
            source = table(4, 4, 3)
            resampler = Resampler(Mode.CACHED, LOG)
            self.assertIs(resampler(source, 6, 5), resampler(source, 6, 5))


class Log(unittest.TestCase):
    def lines(self, mode: Mode, h: int, w: int, debug: bool = True) -> list[str]:
        with self.assertLogs(LOG, logging.INFO) as caught:
            LOG.info("start")
            Resampler(mode, LOG, debug)(table(4, 4, 3).reshape(16, 3), h, w)
        return [r.getMessage() for r in caught.records[1:]]

    def test_every_mode_names_itself(self):
        for mode in Mode:
            self.assertIn(f"[SIGLIP] resampled: mode={mode.value} convention={mode.convention} ", self.lines(mode, 8, 6)[-1])

    def test_the_line_of_the_branch_is_of_bilinear_modes(self):
        line = "[SIGLIP] fast_interpolate called: h=8, w=6"
        for mode in Mode:
            self.assertEqual(line in self.lines(mode, 8, 6), "bilinear" in mode.value, mode)

    def test_equal_grids_say_so(self):
        self.assertEqual(len(self.lines(Mode.BILINEAR, 4, 4)), 1)
        self.assertIn("unchanged", self.lines(Mode.BILINEAR, 4, 4)[0])

    def test_silent_without_debug(self):
        self.assertEqual(self.lines(Mode.BILINEAR, 8, 6, debug=False), [])


class FusedForms(unittest.TestCase):
    def test_processors_without_a_gpu_use_indices_and_weights(self):
        for convention in axis.KERNELS:
            self.assertEqual(forms.fused_form(torch.device("cpu"), convention), "index-weight")


if __name__ == "__main__":
    unittest.main()
