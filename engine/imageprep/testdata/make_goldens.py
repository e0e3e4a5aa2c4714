"""Write resize.json and processors.json: the SHA-256 (first half) of what Pillow
13.0.0 and the image processors of transformers 5.19 on the PIL backend make of noise.

    python make_goldens.py
"""

import hashlib
import importlib
import json

import numpy as np
from PIL import Image

MODELS = {
    "Siglip": "siglip",
    "Siglip2": "siglip2",
    "CLIP": "clip",
    "Llava": "llava",
    "LlavaNext": "llava_next",
    "LlavaOnevision": "llava_onevision",
    "Gemma3": "gemma3",
}


def processor(config):
    name = config["image_processor_type"].removesuffix("Fast").removesuffix("ImageProcessor")
    model = MODELS[name]
    module = importlib.import_module(f"transformers.models.{model}.image_processing_pil_{model}")
    options = {key: value for key, value in config.items() if key != "image_processor_type"}
    return getattr(module, name + "ImageProcessorPil")(**options)


def noise(h, w):
    v = np.arange(3 * h * w, dtype=np.uint32) * np.uint32(2654435761)
    v ^= v >> np.uint32(15)
    v *= np.uint32(2246822519)
    v ^= v >> np.uint32(13)
    return Image.fromarray((v >> np.uint32(24)).astype(np.uint8).reshape(h, w, 3))


def digest(array):
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:32]


def write(name, entries):
    with open(name, "w") as f:
        f.write("[\n" + ",\n".join(json.dumps(e) for e in entries) + "\n]\n")
    print(name, len(entries))


# height and width, before and after: around the rule for the first pass, sides of one
# pixel, extreme shapes
RESIZES = [
    (37, 53, 16, 24), (53, 37, 24, 16), (100, 100, 99, 30), (100, 100, 30, 99), (200, 100, 90, 50),
    (200, 100, 100, 50), (203, 100, 100, 50), (1, 1, 7, 9), (1, 400, 8, 8), (400, 1, 8, 8),
    (5, 2000, 14, 14), (2000, 5, 14, 14), (1000, 20, 14, 14), (64, 48, 64, 20), (64, 48, 20, 48),
    (30, 40, 31, 41), (300, 7, 7, 300), (7, 300, 300, 7), (480, 640, 384, 384), (2, 2, 1, 1),
    (9, 1, 3, 1), (1, 9, 1, 3), (101, 50, 1, 50), (50, 101, 50, 1),
]  # fmt: skip
FILTERS = 8

rng = np.random.default_rng(1)
resizes = [(size, f) for size in RESIZES for f in range(FILTERS)]
for n in range(70):
    size = tuple(int(v) for v in rng.integers(1, 160, 4))
    resizes += [(size, f) for f in sorted({n % FILTERS, 3})]
entries = []
for (h, w, to_h, to_w), f in resizes:
    array = np.array(noise(h, w).resize((to_w, to_h), resample=f))
    entries.append({"from": [h, w], "to": [to_h, to_w], "filter": f, "sha256": digest(array)})
write("resize.json", entries)

SIZES = [(48, 64), (64, 48), (50, 50), (200, 30), (30, 200), (1, 1), (300, 301), (7, 500)]


def config(name, **options):
    return {"image_processor_type": name + "ImageProcessor", **options}


def grid(side, rows, cols):
    return [[side * i, side * j] for i in range(1, rows + 1) for j in range(1, cols + 1)]


def square(side):
    return {"height": side, "width": side}


CONFIGS = [
    config("Siglip"),
    config("Siglip", size={"height": 40, "width": 24}, resample=2),
    {**config("Siglip", size=square(32), resample=1), "image_processor_type": "SiglipImageProcessorFast"},
    config("Siglip", size=square(32), resample=1, do_rescale=False, do_normalize=False),
    config("Siglip", size=square(32), do_rescale=False, image_mean=[100, 110, 120], image_std=[50, 60, 70]),
    config("Siglip", rescale_factor=0.0078431372549, do_normalize=False, do_resize=False),
    config("Siglip", size=33, image_mean=0.4, image_std=0.3),
    config("Siglip", size={"shortest_edge": 20, "longest_edge": 61}, resample=0),
    config("Siglip", size={"max_height": 40, "max_width": 60}, resample=4),
    config("Siglip", size=[28, 42], resample=5, do_center_crop=True, crop_size={"height": 50, "width": 21}),
    config("CLIP", size={"shortest_edge": 28}, crop_size=square(28)),
    config("CLIP", size=30, crop_size=41),
    config("CLIP", size={"shortest_edge": 28}, do_center_crop=False),
    config("Llava", size={"shortest_edge": 28}, crop_size=square(28), do_pad=True),
    config("Llava", size=square(28), do_center_crop=False, do_pad=False),
    config("LlavaNext", size={"shortest_edge": 28}, crop_size=square(28), image_grid_pinpoints=grid(28, 2, 3)),
    config("LlavaNext", size=square(28), crop_size=14, do_center_crop=False, image_grid_pinpoints=grid(28, 2, 2)),
    config("LlavaOnevision", size=square(56), image_grid_pinpoints=grid(56, 3, 3)),
    config("LlavaOnevision", size=square(28), image_grid_pinpoints=grid(28, 6, 6), image_mean=0.5, image_std=0.5),
    config("LlavaOnevision", size=square(28), image_grid_pinpoints=[[30, 60], [45, 45]], resample=2),
    config("Gemma3", size=square(56)),
    config("Gemma3", size=40, do_pan_and_scan=None),
    config("Siglip2"),
    config("Siglip2", patch_size=14, max_num_patches=64, resample=3),
    config("Siglip2", patch_size=7, max_num_patches=11, do_normalize=False),
]
entries = []
for c in CONFIGS:
    p = processor(c)
    for h, w in SIZES:
        try:
            out = p(images=noise(h, w), return_tensors="np")
        except ValueError as error:
            print(f"{c} of {h}x{w}: {error}")
            continue
        values = out["pixel_values"][0].astype(np.float32)
        entry = {"config": c, "image": [h, w], "shape": list(values.shape), "sha256": digest(values)}
        if "spatial_shapes" in out:
            entry["grid"] = [int(n) for n in out["spatial_shapes"][0]]
            entry["mask_sum"] = int(out["pixel_attention_mask"][0].sum())
        entries.append(entry)
    if c["image_processor_type"].startswith("LlavaOnevision") and not isinstance(c.get("image_mean"), float):
        values = p(images=[[noise(h, w) for h, w in SIZES[:4]]], return_tensors="np")["pixel_values"]
        entries.append({"config": c, "several": SIZES[:4], "shape": list(values.shape), "sha256": digest(values)})
write("processors.json", entries)
