#!/usr/bin/env bash
# Compares bicubic with bilinear resampling of SigLIP's position embeddings, by siglab.
#
#	MODEL=google/paligemma-3b-mix-448 QPS=10 NUM_PROMPTS=100 PORT=8100 \
#	DATASET=lmarena-ai/VisionArena-Chat scripts/benchmark_vlm_siglip.sh [FLAG…]
#
# With vLLM on the PATH (and the plugin of plugin/vllm in it), two servers of it are
# compared, main and optimized, and the variables above have these defaults; IMAGE_SIZE
# (N or HxW) runs the model off its training size, where alone there is something to
# interpolate; VLLM_ARGS are further arguments of `vllm serve`. Without vLLM, siglab's
# embedded server is compared, with the defaults of `siglab bench`.
#
# Flags are those of `siglab bench`; ones that name what is compared (--command, --url,
# --variant, --repo, -f, --resume) take the place of these two servers. SIGLAB names the
# program; without it the one on the PATH, or one built from this repository, is used.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)

siglab=${SIGLAB:-$(command -v siglab || true)}
if [ -z "$siglab" ]; then
	siglab=$root/.cache/siglab
	(cd "$root" && go build -o "$siglab" ./cmd/siglab)
fi

for flag in "$@"; do
	case $flag in
	--command | --command=* | --url | --url=* | --variant | --variant=* | --repo | --repo=* | -f | -f?* | --file | --file=* | --resume | --resume=*)
		exec "$siglab" bench "$@"
		;;
	esac
done
command -v vllm >/dev/null || exec "$siglab" bench "$@"

export MODEL=${MODEL:-google/paligemma-3b-mix-448} QPS=${QPS:-10} NUM_PROMPTS=${NUM_PROMPTS:-100} PORT=${PORT:-8100}
export DATASET=${DATASET:-lmarena-ai/VisionArena-Chat}

# variant is a server in a mode of the plugin.
variant() {
	local size=${IMAGE_SIZE:+SIGLAB_IMAGE_SIZE=$IMAGE_SIZE}
	printf '%s' "$1=SIGLAB_POS_EMBED=$2 $size VLLM_DEBUG_SIGLIP=1 vllm serve {model} --host 127.0.0.1 --port {port} ${VLLM_ARGS:-}"
}
exec "$siglab" bench --command "$(variant main reference)" --command "$(variant optimized bilinear)" "$@"
