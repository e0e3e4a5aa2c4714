"""The hooks in the vLLM that is installed; skipped where there is none."""

import inspect
import logging
import types
import unittest

import torch

try:
    from vllm.model_executor.models import llava, paligemma, siglip2navit
    from vllm.model_executor.models import siglip as vllm_siglip

    missing = ""
except ImportError as e:
    missing = str(e)

from siglab_vllm import axis, hook, navit, siglip, size
from siglab_vllm.resampler import Resampler
from siglab_vllm.settings import Mode

LOG = logging.getLogger("test")


def copy_of(module: types.ModuleType, *classes: str) -> types.ModuleType:
    """The module with subclasses of its classes, so that tests do not change it."""
    copy = types.ModuleType(module.__name__)
    copy.__dict__.update(module.__dict__)
    for name in classes:
        setattr(copy, name, type(name, (getattr(module, name),), {}))
    return copy


class Parts:
    """What upstream's methods use of a tower's embeddings, without weights or a server."""

    def __init__(self, positions: int, dim: int, patch: int) -> None:
        self.patch_size, self.embed_dim = patch, dim
        self.position_embedding = torch.nn.Embedding(positions, dim)
        self.position_ids = torch.arange(positions)[None]
        self.patch_embedding = torch.nn.Conv2d(3, dim, patch, patch)


@unittest.skipIf(missing, f"no vLLM here: {missing}")
class Siglip(unittest.TestCase):
    def test_a_fault_is_found_where_it_is(self):
        def sound(self, embeddings, height, width):
            return torch.zeros(1, height * width, embeddings.shape[-1])

        module = types.SimpleNamespace(SiglipVisionEmbeddings=type("E", (), {"interpolate_pos_encoding": sound}))
        self.assertEqual(siglip.fault(module), "")

        def broken(self, embeddings, height, width):
            return embeddings.reshape(7, 7)

        module.SiglipVisionEmbeddings.interpolate_pos_encoding = broken
        self.assertIn("shape '[7, 7]' is invalid", siglip.fault(module))

    def test_this_vllm_has_what_it_has(self):
        """The probe agrees with the code: the fault is the use of weight.shape[1]."""
        source = inspect.getsource(vllm_siglip.SiglipVisionEmbeddings.interpolate_pos_encoding)
        self.assertEqual(bool(siglip.fault(vllm_siglip)), "weight.shape[1]" in source)

    def test_towers_interpolate_unasked(self):
        module = copy_of(vllm_siglip, "SiglipVisionEmbeddings")
        siglip.install(module, Resampler(Mode.EXACT, LOG))
        tower = Parts(positions=16, dim=6, patch=2)
        cls = module.SiglipVisionEmbeddings
        tower.interpolate_pos_encoding = types.MethodType(cls.interpolate_pos_encoding, tower)
        pixels = torch.randn(2, 3, 12, 8)
        with torch.no_grad():
            got = cls.forward(tower, pixels)
            patches = tower.patch_embedding(pixels).flatten(2).transpose(1, 2)
            want = axis.resample_float64(tower.position_embedding.weight.reshape(4, 4, 6), 6, 4, "bicubic")
        torch.testing.assert_close(got - patches, want.reshape(1, 24, 6).float().expand(2, -1, -1), rtol=0, atol=2e-6)

    def test_code_that_is_not_known_is_refused(self):
        with self.assertRaisesRegex(hook.UnknownCode, "no .*SiglipVisionEmbeddings"):
            siglip.install(types.ModuleType("other"), Resampler(Mode.EXACT, LOG))
        other = type("Other", (), {"interpolate_pos_encoding": lambda self, grid: None})
        with self.assertRaisesRegex(hook.UnknownCode, "no parameter embeddings, height, width"):
            siglip.install(types.SimpleNamespace(SiglipVisionEmbeddings=other), Resampler(Mode.EXACT, LOG))


@unittest.skipIf(missing, f"no vLLM here: {missing}")
class Navit(unittest.TestCase):
    def embed(self, tower):
        """Two images, of 6x4 and 2x4 patches; the patches are zeros, so positions remain."""
        with torch.no_grad():
            return siglip2navit.Siglip2VisionEmbeddings.forward(tower, torch.zeros(24 + 8, 12), torch.tensor([[1, 6, 4], [1, 2, 4]]))

    def test_each_image_is_resampled(self):
        tower = Parts(positions=16, dim=6, patch=2)
        tower.patch_embedding = Zeros(6)
        tower.preserve_original_pe, tower.position_embedding_size, tower.hidden_stride = True, 4, 2
        want = self.embed(tower)
        calls = Resampler(Mode.EXACT, LOG)
        navit.install(siglip2navit, calls)
        try:
            got = self.embed(tower)
        finally:
            siglip2navit.F = torch.nn.functional
        self.assertEqual(calls.calls, 2)
        torch.testing.assert_close(got, want, rtol=0, atol=1e-5)

    def test_other_interpolations_are_torchs(self):
        functional = navit.Functional(Resampler(Mode.EXACT, LOG))
        x = torch.randn(1, 2, 4, 4)
        want = torch.nn.functional.interpolate(x, scale_factor=2, mode="bilinear")
        self.assertTrue(torch.equal(functional.interpolate(x, scale_factor=2, mode="bilinear"), want))
        self.assertIs(functional.gelu, torch.nn.functional.gelu)

    def test_code_that_is_not_known_is_refused(self):
        module = copy_of(siglip2navit)
        module.F = object()
        with self.assertRaisesRegex(hook.UnknownCode, "does not resample by one"):
            navit.install(module, Resampler(Mode.EXACT, LOG))


if not missing:

    class Zeros(siglip2navit.LinearBase):
        """A patch embedding that gives zeros."""

        def __init__(self, dim: int) -> None:
            torch.nn.Module.__init__(self)
            self.weight, self.dim = torch.zeros(1), dim

        def forward(self, pixels: torch.Tensor) -> torch.Tensor:
            return torch.zeros(pixels.shape[0], self.dim)


class Size(unittest.TestCase):
    @staticmethod
    def processor(name: str, images: str, **fields):
        processor = type(name, (), {})()
        processor.image_processor = type(images, (), {})()
        processor.image_processor.size = {"height": 224, "width": 224}
        processor.__dict__.update(fields)
        return processor

    tower = types.SimpleNamespace(patch_size=14)

    def test_processors_get_the_size(self):
        p = self.processor("LlavaProcessor", "SiglipImageProcessorFast")
        size.resize(p, (448, 336), self.tower)
        self.assertEqual(p.image_processor.size, {"height": 448, "width": 336})
        p = self.processor("PaliGemmaProcessor", "SiglipImageProcessor", image_seq_length=256)
        size.resize(p, (448, 336), self.tower)
        self.assertEqual(p.image_seq_length, 32 * 24)

    def test_models_that_cannot_are_named(self):
        for name, images in (("LlavaProcessor", "CLIPImageProcessor"), ("Gemma3Processor", "SiglipImageProcessor"), ("LlavaProcessor", "Siglip2ImageProcessor")):
            with self.subTest(f"{name} {images}"), self.assertRaisesRegex(size.UnsupportedModel, f"{name} and {images} cannot"):
                size.resize(self.processor(name, images), (448, 448), self.tower)
        with self.assertRaisesRegex(size.UnsupportedModel, "smaller than a patch"):
            size.resize(self.processor("LlavaProcessor", "SiglipImageProcessor"), (448, 7), self.tower)

    @unittest.skipIf(missing, f"no vLLM here: {missing}")
    def test_pixels_of_the_size_are_expected(self):
        for module, name, field in ((llava, "LlavaImagePixelInputs", "pixel_values"), (paligemma, "PaliGemmaImagePixelInputs", "data")):
            schema = type(name, (getattr(module, name),), {})
            size._expect_pixels(schema, field, (448, 336))
            trained = {"h": 224, "w": 224}
            schema(type="pixel_values", resolve_bindings=trained, **{field: torch.zeros(1, 3, 448, 336)})
            schema(type="pixel_values", resolve_bindings=trained, **{field: torch.zeros(1, 3, 224, 224)})
            with self.assertRaises(ValueError):
                schema(type="pixel_values", resolve_bindings=trained, **{field: torch.zeros(1, 3, 448, 448)})


if __name__ == "__main__":
    unittest.main()
