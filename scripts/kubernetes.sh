#!/usr/bin/env bash
# Builds etcd and the control plane of Kubernetes, for the tests, in the user's cache folder; with
# the argument `node` also what a node needs. Does nothing for what is there, or when
# KUBEBUILDER_ASSETS names a folder with the programs.
#   PENSTOCK_REQUIRE=all    fails where they cannot be had; otherwise their tests are skipped
set -euo pipefail
cd "$(dirname "$0")/kubernetes"
version=$(awk '$1 == "k8s.io/kubernetes" { print substr($2, 2); exit }' go.mod)
kept=${XDG_CACHE_HOME:-$HOME/.cache}/penstock/kubernetes-$version
programs=(etcd kube-apiserver kube-controller-manager)
[ "${1:-}" != node ] || programs+=(kubelet kube-scheduler kube-proxy)

without_kubernetes() {
  echo "$1" >&2
  if [ "${PENSTOCK_REQUIRE:-}" = all ]; then
    echo "PENSTOCK_REQUIRE=all: nothing may be skipped." >&2
    exit 1
  fi
  echo "What needs a real Kubernetes is skipped." >&2
  exit 0
}

missing=()
for program in "${programs[@]}"; do
  [ -x "${KUBEBUILDER_ASSETS:-$kept}/$program" ] || missing+=("$program")
done
[ ${#missing[@]} -gt 0 ] || exit 0
[ -z "${KUBEBUILDER_ASSETS:-}" ] ||
  without_kubernetes "KUBEBUILDER_ASSETS is $KUBEBUILDER_ASSETS, where these are missing: ${missing[*]}. Name another folder, or unset it."
command -v go >/dev/null ||
  without_kubernetes "There is no go, with which Kubernetes is built: install Go, or name a folder with ${missing[*]} by KUBEBUILDER_ASSETS."

echo "Building ${missing[*]} of Kubernetes $version, once: some minutes (about 8 on two cores), to $kept"
mkdir -p "$kept"
# Built beside its place and renamed: whoever finds a program finds all of it.
built=$(mktemp -d "$kept/building.XXXXXX")
trap 'rm -rf "$built"' EXIT
IFS=. read -r major minor _ <<<"$version"
names=k8s.io/component-base/version.git
stamp="-X ${names}Version=v$version -X ${names}Major=$major -X ${names}Minor=$minor"
for program in "${missing[@]}"; do
  package=k8s.io/kubernetes/cmd/$program
  [ "$program" != etcd ] || package=go.etcd.io/etcd/server/v3
  CGO_ENABLED=0 go build -trimpath -ldflags "-s -w $stamp" -o "$built/$program" "$package" \
    >"$built/log" 2>&1 || {
    tail -n 5 "$built/log" >&2
    without_kubernetes "Go could not build $program. Can it fetch modules?"
  }
  mv "$built/$program" "$kept/$program"
done
