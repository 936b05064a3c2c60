"""The protocols: generated stubs, what lies between them and messages, and the client side."""
