# What the scripts of this folder agree on. Addresses exist in the cluster's network namespace alone.
kubernetes_version=$(awk '$1 == "k8s.io/kubernetes" { print substr($2, 2); exit }' \
  "$(dirname "${BASH_SOURCE[0]}")/../kubernetes/go.mod")
coredns_version=1.13.1

cache=${XDG_CACHE_HOME:-$HOME/.cache}/penstock
binaries=${KUBEBUILDER_ASSETS:-$cache/kubernetes-$kubernetes_version}
coredns=$cache/coredns-$coredns_version/coredns
images=$cache/cluster/images         # kept: what the registry serves
containerd_store=$cache/cluster/containerd # kept: layers that are unpacked already
run=$cache/cluster/run               # the state of a cluster that is up; goes with it

node=node
node_bridge=kube0
node_address=10.250.0.1
pod_bridge=cni0
pod_network=10.244.0.0/24
service_network=10.96.0.0/16
api_service=10.96.0.1
dns_service=10.96.0.10
etcd_url=http://127.0.0.1:24790
etcd_peer_url=http://127.0.0.1:24800
api_url=https://$node_address:6443
registry=$node_address:5000
containerd_socket=$run/containerd.sock

export KUBECONFIG=$run/admin.kubeconfig
