"""Hook: images at another size than the tower was trained on (LLaVA and PaliGemma with
a SigLIP tower). The image processor resizes to it, the prompt gets as many placeholders
as there are patches, and the check of pixel shapes expects it.
"""

from __future__ import annotations

import functools
import re
from types import ModuleType
from typing import Any

from .hook import find

Size = tuple[int, int]  # height, width in pixels

_PROCESSORS = ("LlavaProcessor", "PaliGemmaProcessor")
_SIGLIP = re.compile(r"Siglip(?!2)\w*ImageProcessor")  # SigLIP2's takes patches, not a size


class UnsupportedModel(ValueError):
    """This model cannot be run at another size."""


def install(size: Size, siglip: ModuleType, llava: ModuleType, paligemma: ModuleType, context: type) -> None:
    """Run SigLIP models at a size."""
    _count_tokens(siglip.SiglipEncoderInfo, size)
    _resize_images(context, size)
    _expect_pixels(llava.LlavaImagePixelInputs, "pixel_values", size)
    _expect_pixels(paligemma.PaliGemmaImagePixelInputs, "data", size)


def _count_tokens(info: type, size: Size) -> None:
    find(info, "get_num_image_tokens", "image_width", "image_height")
    find(info, "get_image_size")

    def get_num_image_tokens(self, *, image_width: int, image_height: int) -> int:
        return _patches(size, self.get_patch_size())

    info.get_num_image_tokens = get_num_image_tokens
    info.get_image_size = lambda self: max(size)  # of the image that memory is measured with; it is resized


def _resize_images(context: type, size: Size) -> None:
    own = find(context, "get_hf_processor")

    @functools.wraps(own)
    def get_hf_processor(self, *args: Any, **kwargs: Any) -> Any:
        processor = own(self, *args, **kwargs)
        resize(processor, size, getattr(self.model_config.hf_config, "vision_config", None))
        return processor

    context.get_hf_processor = get_hf_processor


def resize(processor: Any, size: Size, vision_config: Any) -> None:
    """Let a processor of transformers make images of a size for a tower."""
    images = getattr(processor, "image_processor", None)
    name = type(processor).__name__
    if name not in _PROCESSORS or not _SIGLIP.match(type(images).__name__):
        raise UnsupportedModel(
            f"SIGLAB_IMAGE_SIZE: a model with {name} and {type(images).__name__} cannot be run at another size; "
            f"LLaVA and PaliGemma with a SigLIP tower can"
        )
    # SizeDict in newer transformers, a dict in older ones.
    images.size = type(images.size)(**{"height": size[0], "width": size[1]})
    if _patches(size, vision_config.patch_size) < 1:
        raise UnsupportedModel(f"SIGLAB_IMAGE_SIZE: {size[0]}x{size[1]} is smaller than a patch of {vision_config.patch_size}")
    if hasattr(processor, "image_seq_length"):  # PaliGemma's number of placeholders
        processor.image_seq_length = _patches(size, vision_config.patch_size)


def _expect_pixels(schema: type, field: str, size: Size) -> None:
    own = find(schema, "__init__", "resolve_bindings")

    @functools.wraps(own)
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        pixels = kwargs.get(field)
        bindings = kwargs.get("resolve_bindings") or {}
        if pixels is not None and "h" in bindings and tuple(pixels[0].shape[-2:]) == size:
            kwargs["resolve_bindings"] = bindings | {"h": size[0], "w": size[1]}
        own(self, *args, **kwargs)

    schema.__init__ = __init__


def _patches(size: Size, patch: int) -> int:
    return (size[0] // patch) * (size[1] // patch)
