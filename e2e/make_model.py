"""Makes a tiny LLaVA with a SigLIP tower and random weights, as vLLM serves it.

    make_model.py OUT

The tower has a 16x16 table (224 pixels, patches of 14), the text model is a Qwen2 of two
layers with its own tokenizer. Same versions, same bytes: everything is seeded. The work
is real, the answers are noise.
"""

import argparse
import random
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    GenerationConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
    Qwen2Config,
    SiglipImageProcessor,
    SiglipVisionConfig,
)

SEED = 20260101
IMAGE_SIZE, PATCH = 224, 14
END, START, STOP, IMAGE = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<image>"

CHAT_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n"
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] %}"
    "{% if part['type'] == 'text' %}{{ part['text'] }}{% else %}<image>\n{% endif %}"
    "{% endfor %}{% endif %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)

WORDS = """a an the this that of on in with and or is are has does what where which who how many
much colour shape left right above below behind near image picture photo photograph scene
person people cat cup coffee coin clock moon rocket stone grass wall sky page text line table
describe list name count read explain compare tell show give every detail background light
dark bright small large round square old new first last one two three four five""".split()


def sentences(count: int):
    """Text to train a tokenizer on."""
    rng = random.Random(SEED)
    for _ in range(count):
        words = rng.choices(WORDS, k=rng.randint(3, 20))
        yield " ".join(words).capitalize() + rng.choice(".?!")


def make_tokenizer() -> PreTrainedTokenizerFast:
    """A byte-level BPE of about 1000 tokens: any text can be written in it."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    bpe.train_from_iterator(sentences(3000), trainers.BpeTrainer(vocab_size=1000, special_tokens=[END, START, STOP, IMAGE], initial_alphabet=alphabet))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=bpe, eos_token=STOP, pad_token=END, model_max_length=8192, clean_up_tokenization_spaces=False)
    tokenizer.chat_template = CHAT_TEMPLATE
    return tokenizer


def make_config(tokenizer: PreTrainedTokenizerFast) -> LlavaConfig:
    vision = SiglipVisionConfig(
        hidden_size=128, intermediate_size=256, num_hidden_layers=3, num_attention_heads=4,
        image_size=IMAGE_SIZE, patch_size=PATCH, vision_use_head=False,
    )  # fmt: skip
    text = Qwen2Config(
        vocab_size=-(-len(tokenizer) // 64) * 64, hidden_size=128, intermediate_size=256, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=8192, tie_word_embeddings=False,
        bos_token_id=None, eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id,
    )  # fmt: skip
    return LlavaConfig(
        vision_config=vision, text_config=text, image_token_index=tokenizer.convert_tokens_to_ids(IMAGE),
        vision_feature_select_strategy="full", vision_feature_layer=-1, tie_word_embeddings=False,
    )  # fmt: skip


def randomise(model: LlavaForConditionalGeneration, tokenizer: PreTrainedTokenizerFast) -> None:
    """Weights large enough that answers differ between images. Tokens that are no
    letters get a logit of 0, which never is the largest: an answer of special tokens or
    parts of characters would have no text, and be none for a client.
    """
    generator = torch.Generator().manual_seed(SEED)
    for name, weight in model.named_parameters():
        scale = 0.5 if "position_embedding" in name else 0.3 if "lm_head" in name else 0.08
        if weight.dim() >= 2:
            weight.data.copy_(scale * torch.randn(weight.shape, generator=generator))
    for token in range(model.lm_head.weight.shape[0]):
        text = tokenizer.decode([token], skip_special_tokens=True).strip()
        if not (text.isascii() and text.isalpha()):
            model.lm_head.weight.data[token] = 0


def rename_tower(folder: Path) -> None:
    """transformers 5 saves vision_tower.embeddings…, vLLM wants the name that published
    checkpoints have, vision_tower.vision_model.embeddings…"""
    file = folder / "model.safetensors"
    tensors = load_file(file)
    renamed = {}
    for name, tensor in tensors.items():
        if "vision_tower." in name and "vision_tower.vision_model." not in name:
            name = name.replace("vision_tower.", "vision_tower.vision_model.")
        renamed[name] = tensor.contiguous()
    save_file(renamed, file, metadata={"format": "pt"})


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a tiny LLaVA with a SigLIP tower.")
    parser.add_argument("out", type=Path)
    out = parser.parse_args().out
    torch.manual_seed(SEED)
    tokenizer = make_tokenizer()
    model = LlavaForConditionalGeneration(make_config(tokenizer)).float()
    randomise(model, tokenizer)
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    model.save_pretrained(out)
    rename_tower(out)
    images = SiglipImageProcessor(size={"height": IMAGE_SIZE, "width": IMAGE_SIZE}, image_mean=[0.5] * 3, image_std=[0.5] * 3)
    LlavaProcessor(
        image_processor=images, tokenizer=tokenizer, patch_size=PATCH, vision_feature_select_strategy="full",
        chat_template=CHAT_TEMPLATE, image_token=IMAGE,
    ).save_pretrained(out)  # fmt: skip
    tokenizer.save_pretrained(out)


if __name__ == "__main__":
    main()
