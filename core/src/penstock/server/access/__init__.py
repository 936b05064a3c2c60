"""Who may do what on a gateway: callers by their tokens, rights by the streams of a cluster."""
