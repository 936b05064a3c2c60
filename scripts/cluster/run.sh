#!/usr/bin/env bash
# A Kubernetes cluster of one node, a command in it, and its end.
#   run.sh COMMAND [ARGUMENT…]    KUBECONFIG is set for it; ends as it does
# All of it is in network and mount namespaces of its own, without a way out: nothing reaches it,
# and nothing is left of it. ../cluster.sh gets what it needs; this is for root alone.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
if [ "${PENSTOCK_CLUSTER:-}" != here ]; then
  exec env PENSTOCK_CLUSTER=here unshare --net --mount --propagation private "$0" "$@"
fi
. "$here/settings.sh"
mkdir -p "$cache/cluster"
exec 9>"$cache/cluster/lock"
flock --timeout 900 9 || exit 1
trap '"$here/down.sh"' EXIT
"$here/up.sh"
"$@" 9>&-
