"""The gateway server: serves any plugin over gRPC and HTTP."""
