"""Puts the plugin's code in the place of vLLM's."""

from __future__ import annotations

from . import navit, siglip, size, version
from .log import logger
from .resampler import Resampler
from .settings import Settings


def install(settings: Settings) -> None:
    """Change the vLLM that is installed here, in this process."""
    import vllm
    from vllm.model_executor.models import siglip as vllm_siglip
    from vllm.model_executor.models import siglip2navit as vllm_navit

    if not settings.any_vllm:
        version.check(vllm.__version__)
    log = logger()
    resampler = Resampler(settings.mode, log, settings.debug)
    fault = siglip.fault(vllm_siglip)
    siglip.install(vllm_siglip, resampler)
    navit.install(vllm_navit, resampler)
    if settings.image_size:
        from vllm.model_executor.models import llava, paligemma
        from vllm.multimodal.processing import InputProcessingContext

        size.install(settings.image_size, vllm_siglip, llava, paligemma, InputProcessingContext)
    log.info(
        "[SIGLIP] siglab-vllm in vLLM %s: mode=%s convention=%s image_size=%s; vLLM's own interpolation %s",
        vllm.__version__, settings.mode.value, settings.mode.convention,
        "x".join(map(str, settings.image_size)) if settings.image_size else "as trained",
        f"is broken and replaced ({fault})" if fault else "is replaced",
    )  # fmt: skip
