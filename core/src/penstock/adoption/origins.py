"""The systems whose manifests are read."""

from penstock.adoption import dapr, knative, riff, strimzi

ORIGINS = {one.name: one for one in (riff.ORIGIN, strimzi.ORIGIN, knative.ORIGIN, dapr.ORIGIN)}
"""By the names that the command line has for them."""
