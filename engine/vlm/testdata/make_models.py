"""Makes small models of every architecture, with what transformers computes of them.

    python make_models.py DIR

Each folder holds a model as it would be published (config.json, weights, tokenizer,
image processor) and the golden results of its prompts (cases.json, NAME.safetensors):
features, first logits and greedily chosen tokens, in float32 on a CPU. The weights are
stored in 16 bits and widened exactly. A seed is taken for which the two largest logits
of a step are never closer than 0.004, so that exact tokens are a fair demand.

Made with torch 2.13.0, transformers 5.19.0, Pillow's image processors.
"""

import json, os, shutil, sys
import numpy as np
import torch
from PIL import Image
from safetensors.torch import save_file
from tokenizers import Tokenizer, models, pre_tokenizers, decoders
from transformers import (
    Gemma3Config, Gemma3ForConditionalGeneration, Gemma3TextConfig, GemmaConfig, LlamaConfig, LlavaConfig,
    LlavaForConditionalGeneration, LlavaOnevisionConfig, LlavaOnevisionForConditionalGeneration, PaliGemmaConfig,
    PaliGemmaForConditionalGeneration, Qwen2Config, SiglipConfig, SiglipModel, SiglipVisionConfig, Siglip2Config, Siglip2Model,
)
from transformers.models.gemma3.image_processing_pil_gemma3 import Gemma3ImageProcessorPil
from transformers.models.llava_onevision.image_processing_pil_llava_onevision import LlavaOnevisionImageProcessorPil
from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil
from transformers.models.siglip2.image_processing_pil_siglip2 import Siglip2ImageProcessorPil

IMAGE, EOS, BOS, BOI, EOI, VOCAB = 256, 257, 258, 259, 260, 264
STEPS = 10


def draw_image(seed, width, height):
    """A few waves in each channel."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width]
    planes = []
    for _ in range(3):
        fy, fx, phase = rng.normal(size=2)[0] / 9, rng.normal() / 9, rng.random() * 6
        planes.append(128 + 110 * np.sin(fy * y + fx * x + phase))
    return Image.fromarray(np.stack(planes, -1).clip(0, 255).astype(np.uint8))


def draw_weights(model, seed, dtype):
    """Weights that let every part matter: the usual small ones make answers repeat."""
    gen = torch.Generator().manual_seed(seed)
    for name, p in model.named_parameters():
        x = torch.randn(p.shape, generator=gen)
        if "logit_" in name:
            x = x.abs() * 2
        elif p.ndim == 1 and "norm" in name and name.endswith("weight"):
            x = 0.2 * x + (0 if "Gemma" in type(model).__name__ and "vision" not in name else 1)
        elif p.ndim == 1:
            x = 0.2 * x
        elif "embed_tokens" in name or "lm_head" in name:
            x = x * (2.5 if "lm_head" in name else 0.8) / p.shape[-1] ** 0.5
        elif "position" in name or "probe" in name or "token_embedding" in name:
            x = 0.6 * x
        elif "mm_input_projection" in name:
            x = 1.4 * x / p.shape[0] ** 0.5
        else:
            gain = 2.2 if any(s in name for s in ("q_proj", "k_proj", "in_proj")) else 1.8 if "language" in name else 1.3
            x = gain * x / p[0].numel() ** 0.5
        p.data = x.to(dtype).float()
    if getattr(model.config, "tie_word_embeddings", False) and hasattr(model, "tie_weights"):
        model.tie_weights()
    return model.eval()


def tower(**kw):
    base = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=3, num_attention_heads=3, image_size=32, patch_size=8, vision_use_head=False)
    return SiglipVisionConfig(**{**base, **kw})


TEXT = dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4, num_key_value_heads=2,
            max_position_embeddings=256, bos_token_id=BOS, eos_token_id=EOS, pad_token_id=0)
LLAMA3 = dict(rope_type="llama3", rope_theta=10000.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=16)


def save_weights(out, model, dtype, layout, shards=1):
    """layout renames the keys that transformers 5 has in memory."""
    state, seen = {}, set()
    for name, value in model.state_dict().items():
        if value.data_ptr() in seen and "lm_head" in name:
            continue  # tied
        seen.add(value.data_ptr())
        state[layout(name)] = value.to(dtype).contiguous().clone()
    if shards == 1:
        save_file(state, f"{out}/model.safetensors", metadata={"format": "pt"})
        return
    names, where = sorted(state), {}
    for i in range(shards):
        part = names[i::shards]
        file = f"model-{i + 1:05}-of-{shards:05}.safetensors"
        save_file({n: state[n] for n in part}, f"{out}/{file}", metadata={"format": "pt"})
        where.update({n: file for n in part})
    json.dump({"metadata": {}, "weight_map": where}, open(f"{out}/model.safetensors.index.json", "w"), indent=1)


def in_memory(name):  # transformers 4.52 to 4.57
    return name


def with_vision_model(name):  # the same, with the tower's inner level
    return name.replace("vision_tower.", "vision_tower.vision_model.")


def old(name):  # before 4.52
    name = with_vision_model(name).replace("lm_head.", "language_model.lm_head.")
    return name.replace("model.language_model.", "language_model.model.").replace("model.vision_tower.", "vision_tower.").replace(
        "model.multi_modal_projector.", "multi_modal_projector.").replace("model.image_newline", "image_newline")


def new(name):  # what 5.x writes
    return old(name).replace("vision_tower.vision_model.", "vision_tower.")


def save_tokenizer(out):
    """Bytes and the special tokens, no merges."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    t = Tokenizer(models.BPE(vocab={c: i for i, c in enumerate(alphabet)}, merges=[]))
    t.pre_tokenizer, t.decoder = pre_tokenizers.ByteLevel(add_prefix_space=False), decoders.ByteLevel()
    t.add_special_tokens(["<image>", "<eos>", "<bos>", "<boi>", "<eoi>"])
    assert t.token_to_id("<image>") == IMAGE and t.token_to_id("<eoi>") == EOI
    t.save(f"{out}/tokenizer.json", pretty=False)
    json.dump({"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<bos>", "eos_token": "<eos>", "boi_token": "<boi>", "eoi_token": "<eoi>",
               "image_token": "<image>"}, open(f"{out}/tokenizer_config.json", "w"))


@torch.no_grad()
def answer(model, ids, inputs, features):
    """First logits, tokens, the five largest logits of every step, the smallest gap."""
    ids = torch.tensor([ids])
    out = model(input_ids=ids, use_cache=True, **inputs)
    first, tokens, top, gap = out.logits[0, -1], [], [], 9.0
    for _ in range(STEPS):
        values, best = out.logits[0, -1].topk(5)
        top.append([[int(i), round(float(v), 6)] for i, v in zip(best, values)])
        gap = min(gap, float((values[:-1] - values[1:]).min()))
        tokens.append(int(best[0]))
        out = model(input_ids=best[:1][None], past_key_values=out.past_key_values, use_cache=True)
    return {"image_features": features, "first_step_logits": first.clone()}, tokens, top, gap


def text(rng, n):
    return [int(v) for v in rng.integers(32, 127, n)]


def make_vlm(root, name, build, processor, prompt, cases, dtype, layout, shards=1, patch_config=None):
    torch.set_num_threads(1)
    for seed in range(1000, 1300):
        model = draw_weights(build(), seed, dtype)
        model.set_attn_implementation("eager")
        rng, results = np.random.default_rng(seed), []
        for i, sizes in enumerate(cases):
            images = [draw_image(seed * 10 + i * 3 + k, *size) for k, size in enumerate(sizes)]
            ids, inputs, features = prompt(model, processor, images, rng)
            if min(len(set(ids)), 5) < 5:
                raise SystemExit("dull prompt")
            results.append((images, ids, *answer(model, ids, inputs, features)))
        if min(r[-1] for r in results) > 5e-5 and min(gap_top1(r[4]) for r in results) > 0.004 and all(len(set(r[3])) > 2 for r in results):
            break
    else:
        raise SystemExit(f"{name}: no seed; the last had gaps {[r[-1] for r in results]}, {[gap_top1(r[4]) for r in results]}, tokens {[r[3] for r in results]}")
    out = f"{root}/{name}"
    shutil.rmtree(out, ignore_errors=True)
    os.makedirs(out)
    config = json.loads(model.config.to_json_string(use_diff=False))
    keep = {k: v for k, v in json.loads(model.config.to_json_string()).items() if k != "transformers_version"}
    if patch_config:
        patch_config(keep)
    json.dump(keep, open(f"{out}/config.json", "w"), indent=1)
    json.dump({**json.loads(processor.to_json_string())}, open(f"{out}/preprocessor_config.json", "w"), indent=1)
    save_tokenizer(out)
    save_weights(out, model, dtype, layout, shards)
    golden = []
    for i, (images, ids, tensors, tokens, top, _) in enumerate(results):
        files = []
        for k, image in enumerate(images):
            files.append(f"image{i}{k}.png")
            image.save(f"{out}/{files[-1]}", optimize=True)
        save_file({k: v.contiguous() for k, v in tensors.items() if v is not None}, f"{out}/case{i}.safetensors")
        golden.append({"name": f"case{i}", "images": files, "input_ids": ids, "greedy_tokens": tokens, "top5": top})
    json.dump({"name": name, "seed": seed, "cases": golden}, open(f"{out}/cases.json", "w"))
    print(name, "seed", seed, "tokens", [r[3][:6] for r in results])


def gap_top1(top):
    return min(step[0][1] - step[1][1] for step in top)


def pixels(processor, images, **kw):
    return processor.preprocess(images, return_tensors="pt", **kw)


def pali_prompt(model, processor, images, rng):
    per = (model.config.vision_config.image_size // model.config.vision_config.patch_size) ** 2
    ids = [IMAGE] * per * len(images) + [BOS] + text(rng, 9) + [10]
    px = pixels(processor, images)["pixel_values"] if images else None
    features = model.get_image_features(px).pooler_output.reshape(-1, 32) if images else None
    inputs = {"token_type_ids": torch.zeros(1, len(ids), dtype=torch.long)}
    if images:
        inputs["pixel_values"] = px
    return ids, inputs, features


def llava_prompt(model, processor, images, rng):
    c = model.config
    per = (c.vision_config.image_size // c.vision_config.patch_size) ** 2 - (c.vision_feature_select_strategy == "default")
    ids = text(rng, 4)
    for _ in images:
        ids += [IMAGE] * per + text(rng, 5)
    ids += text(rng, 3)
    if not images:
        return ids, {}, None
    px = pixels(processor, images)["pixel_values"]
    features = torch.cat(list(model.get_image_features(px).pooler_output))
    return ids, {"pixel_values": px}, features


def onevision_prompt(model, processor, images, rng):
    px = pixels(processor, [images] if len(images) > 1 else images)
    batch = torch.as_tensor(px["batch_num_images"])
    inputs = {"pixel_values": px["pixel_values"], "image_sizes": torch.as_tensor(px["image_sizes"]), "batch_num_images": batch}
    if len(images) > 1 and inputs["pixel_values"].dim() == 4:
        inputs["pixel_values"] = inputs["pixel_values"][:, None]
    each = model.get_image_features(**inputs, vision_feature_layer=model.config.vision_feature_layer, vision_aspect_ratio=model.config.vision_aspect_ratio,
                                    vision_feature_select_strategy="full").pooler_output
    ids = text(rng, 4)
    for f in each:
        ids += [IMAGE] * len(f) + text(rng, 5)
    return ids, inputs, torch.cat(list(each))


def gemma3_prompt(model, processor, images, rng):
    ids = [BOS] + text(rng, 4)
    for _ in images:
        ids += [BOI] + [IMAGE] * model.config.mm_tokens_per_image + [EOI] + text(rng, 3)
    ids += text(rng, 3)
    inputs = {"token_type_ids": torch.tensor([[int(i == IMAGE) for i in ids]])}
    features = None
    if images:
        inputs["pixel_values"] = pixels(processor, images)["pixel_values"]
        features = model.get_image_features(inputs["pixel_values"]).pooler_output.reshape(-1, 32)
    return ids, inputs, features


def siglip_processor(side):
    return SiglipImageProcessorPil(size={"height": side, "width": side}, resample=3, image_mean=[0.5] * 3, image_std=[0.5] * 3)


def make_vlms(root):
    one, wide, two, none = [(40, 28)], [(90, 30)], [(33, 47), (60, 20)], []
    make_vlm(root, "paligemma_old_f16", lambda: PaliGemmaForConditionalGeneration(PaliGemmaConfig(
        vision_config=tower(), text_config=GemmaConfig(**{**TEXT, "head_dim": 12}), projection_dim=32, image_token_index=IMAGE, vocab_size=VOCAB)),
        siglip_processor(32), pali_prompt, [one, two, none], torch.float16, old)
    make_vlm(root, "paligemma_sharded", lambda: PaliGemmaForConditionalGeneration(PaliGemmaConfig(
        vision_config=tower(image_size=24, num_attention_heads=2, hidden_act="gelu"), projection_dim=32, image_token_index=IMAGE, vocab_size=VOCAB,
        text_config=GemmaConfig(**{**TEXT, "head_dim": 8, "num_attention_heads": 5, "num_key_value_heads": 5, "attention_bias": True,
                                   "rope_parameters": {"rope_type": "linear", "rope_theta": 5000.0, "factor": 2.0}}))),
        siglip_processor(24), pali_prompt, [wide], torch.bfloat16, with_vision_model, shards=3)
    make_vlm(root, "llava_qwen2_layers", lambda: LlavaForConditionalGeneration(LlavaConfig(
        vision_config=tower(), text_config=Qwen2Config(**TEXT, tie_word_embeddings=True, use_sliding_window=True, sliding_window=9, max_window_layers=1),
        image_token_index=IMAGE, vision_feature_layer=[-2, 1], vision_feature_select_strategy="full", multimodal_projector_bias=False,
        projector_hidden_act="gelu_pytorch_tanh")), siglip_processor(32), llava_prompt, [one, two, none], torch.bfloat16, in_memory)
    make_vlm(root, "llava_llama3_default", lambda: LlavaForConditionalGeneration(LlavaConfig(
        vision_config=tower(num_hidden_layers=2, image_size=27), text_config=LlamaConfig(**{**TEXT, "num_key_value_heads": 1}, head_dim=10, attention_bias=True,
                                                                         mlp_bias=True, rope_parameters=LLAMA3),
        image_token_index=IMAGE, vision_feature_layer=-1, vision_feature_select_strategy="default")),
        siglip_processor(27), llava_prompt, [wide, two], torch.bfloat16, new)
    pinpoints = [[32, 32], [32, 64], [64, 32], [64, 64], [96, 32], [32, 96]]
    onevision = LlavaOnevisionImageProcessorPil(size={"height": 32, "width": 32}, image_grid_pinpoints=pinpoints, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    make_vlm(root, "onevision_tied", lambda: LlavaOnevisionForConditionalGeneration(LlavaOnevisionConfig(
        vision_config=tower(), text_config=Qwen2Config(**TEXT, tie_word_embeddings=True), image_token_index=IMAGE, video_token_index=VOCAB - 1,
        image_grid_pinpoints=pinpoints, vision_aspect_ratio="anyres_max_2", vision_feature_layer=-2)),
        onevision, onevision_prompt, [one, wide, two, [(64, 64)], [(20, 90)]], torch.bfloat16, in_memory)
    gemma3 = Gemma3ImageProcessorPil(size={"height": 32, "width": 32}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    make_vlm(root, "gemma3", lambda: Gemma3ForConditionalGeneration(Gemma3Config(
        vision_config=tower(), mm_tokens_per_image=4, boi_token_index=BOI, eoi_token_index=EOI, image_token_index=IMAGE, eos_token_id=EOS,
        text_config=Gemma3TextConfig(**{**TEXT, "num_hidden_layers": 3}, head_dim=10, sliding_window=7, query_pre_attn_scalar=14,
                                     layer_types=["sliding_attention", "full_attention", "sliding_attention"],
                                     rope_parameters={"full_attention": {"rope_type": "linear", "factor": 8.0, "rope_theta": 1e6},
                                                      "sliding_attention": {"rope_type": "default", "rope_theta": 1e4}}))),
        gemma3, gemma3_prompt, [one, two, none], torch.bfloat16, old)


@torch.no_grad()
def make_towers(root):
    text_config = dict(vocab_size=VOCAB, hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=2, max_position_embeddings=12,
                       pad_token_id=1, projection_size=24, bos_token_id=BOS, eos_token_id=EOS)
    vision = dict(hidden_size=24, intermediate_size=40, num_hidden_layers=2, num_attention_heads=3, patch_size=8)
    for name, model, processor, layout in (
        ("siglip_pair", SiglipModel(SiglipConfig(text_config=text_config, vision_config={**vision, "image_size": 32})), siglip_processor(32), lambda n: n),
        ("siglip2_pair", Siglip2Model(Siglip2Config(text_config=text_config, vision_config={**vision, "num_patches": 16})),
         Siglip2ImageProcessorPil(patch_size=8, max_num_patches=20), lambda n: n),
    ):
        draw_weights(model, 7, torch.bfloat16)
        out = f"{root}/{name}"
        shutil.rmtree(out, ignore_errors=True)
        os.makedirs(out)
        json.dump(json.loads(model.config.to_json_string()), open(f"{out}/config.json", "w"), indent=1)
        json.dump(json.loads(processor.to_json_string()), open(f"{out}/preprocessor_config.json", "w"), indent=1)
        save_tokenizer(out)
        save_weights(out, model, torch.bfloat16, layout)
        image = draw_image(3, 50, 30)
        image.save(f"{out}/image.png")
        px = pixels(processor, [image])
        texts = [[72, 105], [int(v) for v in np.random.default_rng(1).integers(2, 250, 12)]]
        ids = torch.tensor([t + [1] * (12 - len(t)) for t in texts])
        got = model(input_ids=ids, **{k: v for k, v in px.items()})
        v, t = got.vision_model_output, got.text_model_output
        save_file({"last_hidden_state": v.last_hidden_state, "pooler_output": v.pooler_output, "text_pooler_output": t.pooler_output.contiguous(),
                   "logits_per_image": got.logits_per_image, "cosines": got.image_embeds @ got.text_embeds.T, "input_ids": ids,
                   "pixel_values": px["pixel_values"].contiguous()}, f"{out}/golden.safetensors")
        json.dump({"texts": texts}, open(f"{out}/texts.json", "w"))
        print(name, got.logits_per_image)


if __name__ == "__main__":
    torch.manual_seed(0)
    make_vlms(sys.argv[1])
    make_towers(sys.argv[1])
