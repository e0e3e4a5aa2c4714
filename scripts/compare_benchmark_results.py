#!/usr/bin/env python3
"""Compares two benchmark logs, by `siglab compare`.

    compare_benchmark_results.py benchmark_main.txt benchmark_optimized.txt

Flags are those of `siglab compare`. The Markdown table follows the line MARKDOWN TABLE.
SIGLAB names the program; without it the one on the PATH, or one built from this
repository, is used.
"""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


def siglab() -> str:
    """The program, built if there is none."""
    found = os.environ.get("SIGLAB") or shutil.which("siglab")
    if found:
        return found
    built = ROOT / ".cache" / "siglab"
    subprocess.run(["go", "build", "-o", str(built), "./cmd/siglab"], cwd=ROOT, check=True)
    return str(built)


if __name__ == "__main__":
    sys.exit(subprocess.call([siglab(), "compare", *sys.argv[1:]]))
