"""Write decode/*: small images of every kind, and decode.json, the SHA-256 (first
half) of the RGB bytes that Pillow 13.0.0 reads from each, as they are and upright.

    python make_images.py      # also needs cjpeg of libjpeg-turbo 3
"""

import hashlib
import io
import json
import struct
import subprocess
import zlib

import numpy as np
from PIL import Image, ImageOps

rng = np.random.default_rng(11)
entries = []


def pattern(h, w, channels):
    """Waves with sharp edges, [h, w, channels]."""
    a = np.zeros((h, w, channels))
    y, x = np.mgrid[0:h, 0:w]
    for k in range(channels):
        for _ in range(4):
            fy, fx, phase = rng.uniform(-0.4, 0.4, 3)
            a[..., k] += np.sin(fy * y + fx * x + phase * 10)
    a = (a - a.min()) / (a.max() - a.min() + 1e-9) * 255
    a[(y // 7 + x // 5) % 4 == 0] *= 0.3
    return a.astype(np.uint8)


def rgb(h, w):
    return Image.fromarray(pattern(h, w, 3))


def rgba(h, w):
    return Image.fromarray(pattern(h, w, 4), "RGBA")


def pixels(image):
    array = np.array(image.convert("RGB"))
    return hashlib.sha256(array.tobytes()).hexdigest()[:32], list(array.shape[:2])


def put(name, data):
    digest, size = pixels(Image.open(io.BytesIO(data)))
    upright, _ = pixels(ImageOps.exif_transpose(Image.open(io.BytesIO(data))))
    with open("decode/" + name, "wb") as f:
        f.write(data)
    entry = {"file": name, "size": size, "sha256": digest}
    if upright != digest:
        entry["upright"] = upright
    entries.append(entry)


def encode(image, format, **options):
    b = io.BytesIO()
    image.save(b, format, **options)
    return b.getvalue()


def chunk(name, data):
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def png(w, h, depth, color, palette=None, transparent=None, exif=None):
    samples = {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[color]
    rows = b"".join(b"\0" + rng.bytes((w * samples * depth + 7) // 8) for _ in range(h))
    data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, depth, color, 0, 0, 0))
    for name, payload in ((b"eXIf", exif), (b"PLTE", palette), (b"tRNS", transparent)):
        if payload:
            data += chunk(name, payload)
    return data + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


def tiff(orientation, order):
    head = b"II*\0" if order == "<" else b"MM\0*"
    return head + struct.pack(order + "IHHHIHHI", 8, 1, 0x112, 3, 1, orientation, 0, 0)


for depth in (1, 2, 4, 8, 16):
    put(f"gray{depth}.png", png(9, 5, depth, 0))
    put(f"gray{depth}-transparent.png", png(9, 5, depth, 0, transparent=struct.pack(">H", 1)))
    if depth < 16:
        palette = rng.bytes(3 << depth)
        put(f"palette{depth}.png", png(9, 5, depth, 3, palette, bytes([0, 7])))
for color in (2, 4, 6):
    for depth in (8, 16):
        put(f"color{color}-{depth}.png", png(7, 5, depth, color))
put("palette-short.png", png(9, 5, 8, 3, rng.bytes(9)))
put("rgb-transparent.png", png(7, 5, 16, 2, transparent=bytes(6)))
for mode in ("RGB", "RGBA", "L", "P"):
    put(f"interlaced-{mode}.png", encode(rgba(9, 11).convert(mode), "PNG"))

put("palette.gif", encode(rgb(9, 11).quantize(17), "GIF"))
transparent = encode(rgb(9, 11).quantize(17), "GIF", transparency=3)
put("transparent.gif", transparent)
put("canvas-transparent.gif", transparent[:6] + struct.pack("<HH", 20, 15) + transparent[10:])
plain = encode(rgb(9, 11).quantize(200), "GIF")
put("canvas.gif", plain[:6] + struct.pack("<HH", 20, 15) + plain[10:])
frames = [rgb(9, 11) for _ in range(3)]
put("animated.gif", encode(frames[0], "GIF", save_all=True, append_images=frames[1:]))

put("animated.webp", encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=80))
frames = [rgba(9, 11) for _ in range(3)]
put("animated-alpha.webp", encode(frames[0], "WEBP", save_all=True, append_images=frames[1:], quality=80))
put("lossless.webp", encode(rgb(9, 11), "WEBP", lossless=True))
put("lossless-alpha.webp", encode(rgba(9, 11), "WEBP", lossless=True, exact=True))
for h, w in ((1, 1), (1, 2), (2, 1), (3, 3), (33, 47), (48, 34)):
    put(f"lossy-{h}x{w}.webp", encode(rgb(h, w), "WEBP", quality=60))
put("lossy-alpha.webp", encode(rgba(17, 23), "WEBP", quality=60))

for n in range(10):
    order = "<>"[n % 2]
    put(f"orientation{n}.jpg", encode(rgb(6, 9), "JPEG", exif=b"Exif\0\0" + tiff(n, order), quality=50, optimize=True))
put("orientation6.png", png(5, 3, 8, 2, exif=tiff(6, ">")))
put("orientation6.webp", encode(rgb(6, 9), "WEBP", exif=b"Exif\0\0" + tiff(6, "<"), lossless=True))
xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:Description tiff:Orientation="8"/></x:xmpmeta>'
put("xmp8.jpg", encode(rgb(6, 9), "JPEG", xmp=xmp, quality=50, optimize=True))
put("xmp8.webp", encode(rgb(6, 9), "WEBP", xmp=xmp, lossless=True))


def cjpeg(image, *options):
    h, w = image.size[1], image.size[0]
    ppm = b"P6 %d %d 255\n" % (w, h) + image.tobytes()
    return subprocess.run(["cjpeg", "-optimize", *options], input=ppm, capture_output=True, check=True).stdout


SAMPLINGS = ["1x1", "2x1", "2x2", "1x2", "4x1", "1x4", "4x2", "3x1", "1x1,2x1,2x1", "2x2,2x1,1x2", "1x4,1x2,1x1"]
for i, sampling in enumerate(SAMPLINGS):
    for j, (h, w) in enumerate(((19, 29), (3, 4), (17, 33))):
        options = ["-quality", str((95, 60, 25)[j]), "-sample", sampling]
        options += [["-progressive"], [], ["-restart", "2B"]][(i + j) % 3]
        put(f"sampling{i}-{h}x{w}.jpg", cjpeg(rgb(h, w), *options))
put("colors-rgb.jpg", cjpeg(rgb(9, 17), "-rgb"))
put("noise.jpg", cjpeg(Image.fromarray(rng.integers(0, 256, (40, 40, 3), dtype=np.uint8)), "-quality", "3"))
put("gray.jpg", encode(rgb(9, 17).convert("L"), "JPEG", progressive=True))
cmyk = encode(Image.fromarray(pattern(19, 21, 4), mode="CMYK"), "JPEG", quality=70, optimize=True)
adobe = cmyk.index(b"Adobe")
put("cmyk.jpg", cmyk)
put("cmyk-unmarked.jpg", cmyk[: adobe - 4] + cmyk[adobe + 12 :])
put("ycck.jpg", cmyk[: adobe + 11] + b"\2" + cmyk[adobe + 12 :])

with open("decode.json", "w") as f:
    f.write("[\n" + ",\n".join(json.dumps(e) for e in entries) + "\n]\n")
print(len(entries), "images")
