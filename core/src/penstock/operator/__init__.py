"""The operator: what resources say they want, made of Kubernetes' own objects.

A module for each kind decides, from what is there, which objects a resource needs and what its
status says; those know neither kopf nor HTTP. `penstock.operator.edge` looks and writes.
"""
