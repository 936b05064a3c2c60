"""Protocol buffer sources and the stubs generated from them."""
