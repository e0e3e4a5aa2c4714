#!/usr/bin/env bash
# Makes the report that doc/examples/real-vllm keeps: bicubic against bilinear in a real
# vLLM on the CPU, a fresh server for each block. It takes about ten minutes and wants an
# otherwise idle machine; on a busy one the gates say so, and there is no verdict.
#
#	usage: e2e/example.sh OUT [FLAG of siglab bench…]
#
# OUT is a folder that is not there yet; the run directory is OUT/run.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
[ $# -ge 1 ] || { echo "usage: e2e/example.sh OUT [FLAG…]" >&2; exit 2; }
out=$1
shift

venv=$("$here/install-vllm.sh")
mkdir "$out"
(cd "$here/.." && go build -o "$(realpath "$out")/siglab" ./cmd/siglab)
cd "$out"
"$venv/bin/python" "$here/make_model.py" model
"$venv/bin/python" "$here/make_dataset.py" "$here/../bench/dataset/builtin" dataset --rows 200
cp "$here/../doc/examples/real-vllm/experiment.yaml" .

# Names instead of paths, so that the report has none of this machine's.
export PATH=$venv/bin:$PATH HF_HUB_OFFLINE=1 TRANSFORMERS_OFFLINE=1 VLLM_NO_USAGE_STATS=1 DO_NOT_TRACK=1 VLLM_CPU_KVCACHE_SPACE=1 VLLM_SERVER_DEV_MODE=1
exec ./siglab bench -f experiment.yaml --out run "$@"
