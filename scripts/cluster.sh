#!/usr/bin/env bash
# Gets what a Kubernetes cluster of one node needs, to the user's cache folder: its programs are
# built of their Go modules, and images of the project's Containerfiles. cluster/run.sh starts it.
#   PENSTOCK_REQUIRE=all    fails where the cluster cannot be had; otherwise ends with code 3
set -euo pipefail
cd "$(dirname "$0")"
. cluster/settings.sh
. cluster/process.sh
root=$PWD/..

without_cluster() {
  say "There is no cluster to test on: $1"
  [ "${PENSTOCK_REQUIRE:-}" != all ] || fail "PENSTOCK_REQUIRE=all: nothing may be skipped."
  exit 3
}

[ "$(uname -sm)" = 'Linux x86_64' ] || without_cluster 'it is for Linux on x86-64.'
[ "$(id -u)" = 0 ] || without_cluster 'pods and their networks need root.'
declare -A packages=([containerd]=containerd [runc]=runc [conntrack]=conntrack [socat]=socat
  [iptables]=iptables [ip]=iproute2 [openssl]=openssl [mmdebstrap]=mmdebstrap [gcc]=gcc
  [curl]=curl [kubectl]=kubectl [go]=golang)
missing=()
for program in "${!packages[@]}"; do
  command -v "$program" >/dev/null || missing+=("${packages[$program]}")
done
[ -x /usr/lib/cni/bridge ] || missing+=(containernetworking-plugins)
[ ${#missing[@]} = 0 ] || without_cluster "install ${missing[*]} (so they are called on Debian)."
"$root/.venv/bin/python" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' ||
  without_cluster 'its images have Python 3.11; so must .venv, which fetches what they install.'

mkdir -p "$cache/cluster"
exec 8>"$cache/cluster/building"
flock 8

# build MODULE PACKAGE PROGRAM
build() {
  [ ! -x "$3" ] || return 0
  say "Building $(basename "$3"), once: minutes"
  mkdir -p "$(dirname "$3")"
  (cd "$1" && CGO_ENABLED=0 nice go build -trimpath -ldflags "-s -w" -o "$3.part" "$2") ||
    without_cluster "$(basename "$3") cannot be built. Is the Go module proxy reachable?"
  mv "$3.part" "$3"
}
./kubernetes.sh node
[ -x "$binaries/kubelet" ] || without_cluster 'the programs of Kubernetes are missing.'
build cluster/coredns . "$coredns"

if [ ! -e "$images/names/python:base" ]; then
  say 'Fetching a system with Python for images, once: about a minute'
  # Without its format, a folder comes out.
  mmdebstrap --format=tar --variant=minbase --include=ca-certificates,python3,python3-venv \
    --dpkgopt='path-exclude=/usr/share/'{doc,info,locale,man}'/*' --skip=output/dev,output/mknod \
    bookworm "$cache/cluster/base.part" >"$cache/cluster/base.log" 2>&1 ||
    without_cluster "mmdebstrap failed: see $cache/cluster/base.log"
  mv "$cache/cluster/base.part" "$cache/cluster/base.tar"
fi

# What pip installs in images is fetched here: they are built without a network.
cd "$root"
wanted=$(cat constraints.txt ./*/pyproject.toml plugins/*/pyproject.toml | sha256sum)
if [ "$(cat "$cache/cluster/wheels/for" 2>/dev/null)" != "$wanted" ]; then
  say 'Fetching what images install'
  .venv/bin/python -m pip wheel --quiet --constraint constraints.txt \
    --wheel-dir "$cache/cluster/wheels" hatchling './core[operator,tracing]' ./plugins/inmemory \
    ./plugins/kafka ./sidecar ./invoker ||
    without_cluster 'pip could not fetch what images install. Is the package index reachable?'
  rm "$cache"/cluster/wheels/penstock*.whl # these are built in the images
  echo "$wanted" >"$cache/cluster/wheels/for"
fi
say 'Building the images that have changed'
unshare --mount --net --propagation private \
  .venv/bin/python -m scripts.cluster.images "$cache/cluster" "$coredns"
