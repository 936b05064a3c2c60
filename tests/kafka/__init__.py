"""A processor on a real Kafka, as it runs on a cluster: what the tests of this folder share.

Messages go from a topic through a sidecar's process and a function's to another topic. They are
put in and read back by plain Kafka clients, and counted one by one.
"""
