"""Where the operator meets the API server: it looks, asks the pure modules, and writes."""
