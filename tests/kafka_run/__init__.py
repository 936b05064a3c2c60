"""Kafka as a person has it: by manifests, `penstock run` and the other commands."""
