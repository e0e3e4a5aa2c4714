"""Write resize.json and processors.json: the SHA-256 (first half) of what Pillow
13.0.0 and the image processors of transformers 5.19 on the PIL backend make of noise.

    python make_goldens.py
"""

import hashlib
import json

import numpy as np
from PIL import Image
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil
from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil
from transformers.models.llava.image_processing_pil_llava import LlavaImageProcessorPil
from transformers.models.llava_next.image_processing_pil_llava_next import LlavaNextImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
C = dict(Siglip=SiglipImageProcessorPil, Siglip2=Siglip2ImageProcessorPil, CLIP=CLIPImageProcessorPil, Llava=LlavaImageProcessorPil,
  LlavaNext=LlavaNextImageProcessorPil, LlavaOnevision=LlavaOnevisionImageProcessorPil, Gemma3=Gemma3ImageProcessorPil)

def noise(h, w):
    i = np.arange(3*h*w, dtype=np.uint32)
    v = i * np.uint32(2654435761)
    v ^= v >> np.uint32(15); v *= np.uint32(2246822519); v ^= v >> np.uint32(13)
    return (v >> np.uint32(24)).astype(np.uint8).reshape(h, w, 3)
sha = lambda a: hashlib.sha256(np.ascontiguousarray(a).tobytes()).hexdigest()[:32]

rng = np.random.default_rng(1)
out = []
fixed = [(37,53,16,24),(53,37,24,16),(100,100,99,30),(100,100,30,99),(200,100,90,50),(200,100,100,50),(203,100,100,50),(1,1,7,9),(1,400,8,8),(400,1,8,8),
 (5,2000,14,14),(2000,5,14,14),(1000,20,14,14),(64,48,64,20),(64,48,20,48),(30,40,31,41),(300,7,7,300),(7,300,300,7),(480,640,384,384),(2,2,1,1),(9,1,3,1),(1,9,1,3),(101,50,1,50),(50,101,50,1)]
for n,(h,w,th,tw) in enumerate(fixed + [tuple(int(v) for v in rng.integers(1,160,4)) for _ in range(70)]):
    for f in range(8):
        if n >= len(fixed) and f != n % 8 and f != 3: continue
        a = np.array(Image.fromarray(noise(h,w)).resize((tw,th), resample=f))
        out.append(dict(from_=[h,w], to=[th,tw], filter=f, sha256=sha(a)))
for o in out: o["from"] = o.pop("from_")
open("resize.json","w").write("[\n"+",\n".join(json.dumps(o) for o in out)+"\n]\n")

sizes = [(48,64),(64,48),(50,50),(200,30),(30,200),(1,1),(300,301),(7,500)]
pin = [[56,56],[56,112],[112,56],[112,112],[56,168],[168,56],[168,168]]
configs = [
 dict(image_processor_type="SiglipImageProcessor"),
 dict(image_processor_type="SiglipImageProcessor", size=dict(height=40,width=24), resample=2),
 dict(image_processor_type="SiglipImageProcessorFast", size=dict(height=32,width=32), resample=1, do_rescale=False, do_normalize=False),
 dict(image_processor_type="SiglipImageProcessor", size=dict(height=32,width=32), do_rescale=False, image_mean=[100.,110.,120.], image_std=[50.,60.,70.]),
 dict(image_processor_type="SiglipImageProcessor", size=dict(height=32,width=32), rescale_factor=0.0078431372549, do_normalize=False, do_resize=False),
 dict(image_processor_type="SiglipImageProcessor", size=33, image_mean=0.4, image_std=0.3),
 dict(image_processor_type="SiglipImageProcessor", size=dict(shortest_edge=20,longest_edge=61), resample=0),
 dict(image_processor_type="SiglipImageProcessor", size=dict(max_height=40,max_width=60), resample=4),
 dict(image_processor_type="SiglipImageProcessor", size=[28,42], resample=5, do_center_crop=True, crop_size=dict(height=50,width=21)),
 dict(image_processor_type="CLIPImageProcessor", size=dict(shortest_edge=28), crop_size=dict(height=28,width=28)),
 dict(image_processor_type="CLIPImageProcessor", size=30, crop_size=41),
 dict(image_processor_type="CLIPImageProcessor", size=dict(shortest_edge=28), do_center_crop=False),
 dict(image_processor_type="LlavaImageProcessor", size=dict(shortest_edge=28), crop_size=dict(height=28,width=28), do_pad=True),
 dict(image_processor_type="LlavaImageProcessor", size=dict(height=28,width=28), do_center_crop=False, do_pad=False),
 dict(image_processor_type="LlavaNextImageProcessor", size=dict(shortest_edge=28), crop_size=dict(height=28,width=28), image_grid_pinpoints=[[28,56],[56,28],[56,56],[84,28],[28,84]]),
 dict(image_processor_type="LlavaOnevisionImageProcessor", size=dict(height=56,width=56), image_grid_pinpoints=pin),
 dict(image_processor_type="LlavaOnevisionImageProcessor", size=dict(height=28,width=28), image_grid_pinpoints=[[28*i,28*j] for i in range(1,7) for j in range(1,7)], image_mean=[.5,.5,.5], image_std=[.5,.5,.5]),
 dict(image_processor_type="LlavaOnevisionImageProcessor", size=dict(height=28,width=28), image_grid_pinpoints=[[30,60],[45,45]], resample=2),
 dict(image_processor_type="Gemma3ImageProcessor", size=dict(height=56,width=56)),
 dict(image_processor_type="Gemma3ImageProcessor", size=40, do_pan_and_scan=None),
 dict(image_processor_type="Siglip2ImageProcessor"),
 dict(image_processor_type="Siglip2ImageProcessor", patch_size=14, max_num_patches=64, resample=3),
 dict(image_processor_type="Siglip2ImageProcessor", patch_size=7, max_num_patches=11, do_normalize=False),
]
out = []
for c in configs:
    k = c["image_processor_type"].replace("Fast","").replace("ImageProcessor","")
    kw = {a:b for a,b in c.items() if a != "image_processor_type"}
    p = C[k](**kw)
    for h,w in sizes:
        try:
            r = p(images=Image.fromarray(noise(h,w)), return_tensors="np")
        except Exception as e:
            print(k,h,w,repr(e)[:100]); continue
        v = r["pixel_values"][0]
        assert v.dtype in (np.float32, np.uint8), v.dtype
        v = v.astype(np.float32)
        o = dict(config=c, image=[h,w], shape=list(v.shape), sha256=sha(v))
        if "spatial_shapes" in r:
            o["grid"] = [int(x) for x in r["spatial_shapes"][0]]; o["mask_sum"] = int(r["pixel_attention_mask"][0].sum())
        out.append(o)
    if k == "LlavaOnevision":
        im = [Image.fromarray(noise(h,w)) for h,w in sizes[:4]]
        r = p(images=[im], return_tensors="np")
        out.append(dict(config=c, several=sizes[:4], shape=list(r["pixel_values"].shape), sha256=sha(r["pixel_values"])))
open("processors.json","w").write("[\n"+",\n".join(json.dumps(o) for o in out)+"\n]\n")
print(len(out))
