#!/usr/bin/env bash
# Brings the cluster up, in the namespaces that run.sh has made.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. ./settings.sh
. ./process.sh
[ -z "$(ip -4 route show default)" ] || fail "this network has a way out: start it with run.sh"
"$PWD/down.sh" # what a killed one has left
mkdir -p "$run" "$containerd_store"
./network.sh
./certificates.sh >"$run/certificates.log" 2>&1 || fail "no certificates: see $run/certificates.log"
./configuration.sh
pki=$run/pki

# Kubelet sets these for the whole machine; down.sh puts them back.
for setting in vm.overcommit_memory kernel.panic kernel.panic_on_oops; do
  echo "$setting=$(sysctl -n $setting)"
done >"$run/sysctl"

start registry env PYTHONPATH="$PWD/../.." python3 -m scripts.cluster.registry "$images" "$registry"
start containerd containerd --config "$run/containerd.toml"
start etcd "$binaries/etcd" --name here --data-dir "$run/etcd" --unsafe-no-fsync --log-level warn \
  --listen-client-urls "$etcd_url" --advertise-client-urls "$etcd_url" \
  --listen-peer-urls "$etcd_peer_url" --initial-advertise-peer-urls "$etcd_peer_url" \
  --initial-cluster "here=$etcd_peer_url"
wait_for 30 etcd curl -fsS --max-time 2 "$etcd_url/readyz"

start kube-apiserver "$binaries/kube-apiserver" --etcd-servers="$etcd_url" \
  --bind-address="$node_address" --advertise-address="$node_address" --secure-port=6443 \
  --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
  --client-ca-file="$pki/ca.crt" --service-account-key-file="$pki/service-accounts.pub" \
  --service-account-signing-key-file="$pki/service-accounts.key" \
  --service-account-issuer=https://kubernetes.default.svc.cluster.local \
  --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
  --service-cluster-ip-range="$service_network" --kubelet-preferred-address-types=InternalIP \
  --kubelet-client-certificate="$pki/apiserver-kubelet.crt" \
  --kubelet-client-key="$pki/apiserver-kubelet.key" --kubelet-certificate-authority="$pki/ca.crt"
wait_for 30 containerd ctr --address "$containerd_socket" version
wait_for 90 kube-apiserver kubectl get --raw /readyz

start kube-controller-manager "$binaries/kube-controller-manager" \
  --kubeconfig="$run/controller-manager.kubeconfig" --bind-address=127.0.0.1 --leader-elect=false \
  --service-account-private-key-file="$pki/service-accounts.key" --root-ca-file="$pki/ca.crt" \
  --use-service-account-credentials --allocate-node-cidrs=false
start kube-scheduler "$binaries/kube-scheduler" --kubeconfig="$run/scheduler.kubeconfig" \
  --bind-address=127.0.0.1 --leader-elect=false
start kube-proxy "$binaries/kube-proxy" --config="$run/proxy.yaml"
start kubelet "$binaries/kubelet" --config="$run/kubelet.yaml" --root-dir="$run/kubelet" \
  --kubeconfig="$run/kubelet.kubeconfig" --hostname-override="$node" --node-ip="$node_address"
wait_for 90 kubelet kubectl get node "$node"
kubectl wait --for=condition=Ready "node/$node" --timeout=120s >/dev/null ||
  fail "the node is not ready: see $run/kubelet.log"

sed "s/DNS_SERVICE/$dns_service/" coredns/coredns.yaml | kubectl apply -f - >/dev/null
kubectl -n kube-system rollout status deployment/coredns --timeout=120s >/dev/null ||
  fail "there is no DNS: see kubectl -n kube-system describe pods"
wait_for 20 kube-proxy curl -fsS --max-time 2 http://127.0.0.1:10256/healthz
for name in registry containerd etcd kube-apiserver kube-controller-manager kube-scheduler \
  kube-proxy kubelet; do
  alive "$name" || fail "$name has ended: see $run/$name.log"
done
say "the cluster is up, after $SECONDS s"
