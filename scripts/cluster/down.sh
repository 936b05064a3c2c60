#!/usr/bin/env bash
# Takes the cluster down and removes its state; what was built and unpacked stays. Links and packet
# rules go with the namespace.
set -uo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. ./settings.sh
. ./process.sh
[ -d "$run" ] || exit 0

stop kubelet 5
for name in kube-controller-manager kube-scheduler kube-proxy; do stop "$name" 2; done
# The containers, by their own cgroups, and the shims of this containerd.
if [ -d /sys/fs/cgroup/pids/kubepods ]; then
  find /sys/fs/cgroup/pids/kubepods -name cgroup.procs -exec cat {} + |
    while read -r pid; do kill -KILL "$pid" 2>/dev/null; done
fi
stop containerd 5
for process in /proc/[0-9]*; do
  if tr '\0' ' ' 2>/dev/null <"$process/cmdline" |
    grep -q "containerd-shim-runc-v2 .*-address $containerd_socket"; then
    kill -KILL "${process#/proc/}" 2>/dev/null
  fi
done
# The API server waits for its clients when it is asked to end; its state goes anyway.
for name in kube-apiserver etcd registry; do stop "$name" 1; done

# Volumes of pods, their network namespaces, layers: the deepest first.
awk -v under="$run/" 'index($5, under) == 1 {print $5}' /proc/self/mountinfo | sort -r |
  while read -r mount; do umount "$mount" 2>/dev/null || umount -l "$mount"; done
for pods in /sys/fs/cgroup/*/kubepods; do
  [ ! -d "$pods" ] || find "$pods" -depth -type d -exec rmdir {} + 2>/dev/null
done
[ ! -s "$run/sysctl" ] || sysctl -q --load="$run/sysctl" 2>/dev/null

# Paths that are fixed in kubelet and in the CNI's library.
rm -f /var/lib/cni/results/{pods,cni-loopback}-* \
  /var/lib/kubelet/device-plugins/{kubelet.sock,kubelet_internal_checkpoint,DEPRECATION}
find /var/log/containers -maxdepth 1 -type l -lname "$run/*" -delete 2>/dev/null
rmdir /var/lib/cni/{results,networks,.} /var/lib/kubelet/{device-plugins,.} /var/log/containers \
  2>/dev/null
! grep -q " $run/" /proc/self/mountinfo || fail "something is still mounted under $run"
rm -rf --one-file-system "$run"
