"""Makes a data set in the shape of VisionArena-Chat from photographs and prompts.

    make_dataset.py BUILTIN OUT [--rows N]

BUILTIN is a folder with prompts.jsonl and images/ (bench/dataset/builtin). Each row has a
part of a photograph that no other row has, so that no cache of a server knows an image.
"""

import argparse
import hashlib
import io
import json
import random
from pathlib import Path

from datasets import Dataset, Features, Image, List, Value
from PIL import Image as Pillow

SEED = 20260101
LONGEST_PROMPT = 120  # characters: a tiny tokenizer has many tokens for them
LARGEST_SIDE = 480  # pixels

FEATURES = Features(
    {
        "images": List(Image()),
        "conversation_id": Value("string"),
        "model": Value("string"),
        "num_turns": Value("int64"),
        "conversation": List(List({"role": Value("string"), "content": Value("string")})),
        "language": Value("string"),
        "user_id": Value("int64"),
        "tstamp": Value("float64"),
    }
)


def read_prompts(folder: Path) -> list[tuple[str, str]]:
    """Image file and text of the short prompts in English."""
    found = []
    for line in (folder / "prompts.jsonl").read_text(encoding="utf-8").splitlines():
        row = json.loads(line)
        text = row["conversation"][0][0]["content"]
        if row["images"] and row["language"] == "English" and len(text) <= LONGEST_PROMPT:
            found.append((row["images"][0], text))
    return found


def part_of(photograph: Pillow.Image, rng: random.Random) -> bytes:
    """A JPEG of a random part, at least half as wide and high as the whole."""
    width, height = photograph.size
    w, h = (round(side * rng.uniform(0.5, 0.95)) for side in (width, height))
    x, y = rng.randint(0, width - w), rng.randint(0, height - h)
    part = photograph.crop((x, y, x + w, y + h)).convert("RGB")
    part.thumbnail((LARGEST_SIDE, LARGEST_SIDE))
    out = io.BytesIO()
    part.save(out, "JPEG", quality=85)
    return out.getvalue()


def main() -> None:
    parser = argparse.ArgumentParser(description="Make a data set in the shape of VisionArena-Chat.")
    parser.add_argument("builtin", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--rows", type=int, default=40)
    options = parser.parse_args()
    rng = random.Random(SEED)
    prompts = read_prompts(options.builtin)
    rows = []
    for i in range(options.rows):
        file, text = prompts[i % len(prompts)]
        with Pillow.open(options.builtin / "images" / file) as photograph:
            data = part_of(photograph, rng)
        rows.append(
            {
                "images": [{"bytes": data, "path": None}],
                "conversation_id": hashlib.sha256(data).hexdigest()[:32],
                "model": "none",
                "num_turns": 1,
                "conversation": [[{"role": "user", "content": text}], [{"role": "assistant", "content": "none"}]],
                "language": "English",
                "user_id": i,
                "tstamp": 1.7e9 + i,
            }
        )
    folder = options.out / "data"
    folder.mkdir(parents=True, exist_ok=True)
    Dataset.from_list(rows, features=FEATURES).to_parquet(folder / "train-00000-of-00001.parquet")


if __name__ == "__main__":
    main()
