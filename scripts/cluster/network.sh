#!/usr/bin/env bash
# The node's address, and the ways to pods and Services, in a network namespace without a way out.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")"
. ./settings.sh

ip link set lo up
# A bridge without ports: pods have to reach the node's address, which the loopback's is not.
ip link add "$node_bridge" type bridge
ip address add "$node_address/24" dev "$node_bridge"
ip link set "$node_bridge" up
# The node's own packets to Services need a route, before they are sent elsewhere.
ip route add "$service_network" dev "$node_bridge" src "$node_address" metric 500
ip route add "$pod_network" dev "$node_bridge" src "$node_address" metric 500
sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1
