"""The golden values that the Go library is tested with."""

import json
import struct
from pathlib import Path

import torch

FILE = Path(__file__).parents[3] / "posembed/posembedtest/testdata/goldens.safetensors"
_TYPES = {"F64": torch.float64, "F32": torch.float32, "BF16": torch.bfloat16}


def read() -> dict[str, torch.Tensor]:
    """All tensors of the file: "table/NAME" and "CONVENTION/TABLE/GRID/TYPE"."""
    data = FILE.read_bytes()
    (length,) = struct.unpack("<Q", data[:8])
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__", None)
    body = bytearray(data[8 + length :])
    tensors = {}
    for name, entry in header.items():
        begin, end = entry["data_offsets"]
        tensors[name] = torch.frombuffer(body[begin:end], dtype=_TYPES[entry["dtype"]]).reshape(entry["shape"])
    return tensors


def cases(convention: str, dtype: str) -> list[tuple[str, torch.Tensor, torch.Tensor]]:
    """Name, table [G, K, D] and result [h, w, D] of a convention in f32, f64 or bf16."""
    tensors = read()
    found = []
    for name, result in tensors.items():
        part = name.split("/")
        if len(part) == 4 and part[0] == convention and part[3] == dtype:
            found.append((name, tensors[f"table/{part[1]}"], result))
    return found
