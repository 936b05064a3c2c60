#!/usr/bin/env bash
# The cluster's certificates, and a kubeconfig for each of its users.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. ./settings.sh
umask 077
mkdir -p "$run/pki"
cd "$run/pki"

authority() {
  openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 3650 \
    -keyout "$1.key" -out "$1.crt" -subj "/CN=$1" \
    -addext basicConstraints=critical,CA:TRUE \
    -addext keyUsage=critical,digitalSignature,keyCertSign,cRLSign
}

# certificate NAME AUTHORITY SUBJECT USAGE [ALTERNATIVE NAMES]
certificate() {
  openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj "$3" \
    -keyout "$1.key" -out "$1.csr"
  openssl x509 -req -in "$1.csr" -CA "$2.crt" -CAkey "$2.key" -CAcreateserial -days 3650 \
    -out "$1.crt" -extfile <(
      printf '%s\n' basicConstraints=CA:FALSE keyUsage=critical,digitalSignature \
        "extendedKeyUsage=$4" ${5:+"subjectAltName=$5"}
    )
}

kubeconfig() {
  kubectl --kubeconfig "$run/$1.kubeconfig" config set-cluster here --server "$api_url" \
    --certificate-authority ca.crt --embed-certs
  kubectl --kubeconfig "$run/$1.kubeconfig" config set-credentials "$1" \
    --client-certificate "$1.crt" --client-key "$1.key" --embed-certs
  kubectl --kubeconfig "$run/$1.kubeconfig" config set-context here --cluster here --user "$1"
  kubectl --kubeconfig "$run/$1.kubeconfig" config use-context here
}

authority ca
api_names=IP:$node_address,IP:$api_service,DNS:kubernetes.default,DNS:kubernetes.default.svc
certificate apiserver ca /CN=kube-apiserver serverAuth "$api_names"
certificate kubelet-server ca "/O=system:nodes/CN=system:node:$node" serverAuth "IP:$node_address"
certificate apiserver-kubelet ca /O=system:masters/CN=kube-apiserver clientAuth
certificate admin ca /O=system:masters/CN=admin clientAuth
certificate kubelet ca "/O=system:nodes/CN=system:node:$node" clientAuth
certificate controller-manager ca /CN=system:kube-controller-manager clientAuth
certificate scheduler ca /CN=system:kube-scheduler clientAuth
certificate proxy ca /CN=system:kube-proxy clientAuth
openssl genrsa -out service-accounts.key 2048
openssl rsa -in service-accounts.key -pubout -out service-accounts.pub
for user in admin kubelet controller-manager scheduler proxy; do kubeconfig "$user"; done
