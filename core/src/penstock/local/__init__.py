"""The local runtime: the same manifests as on a cluster, on one machine."""
