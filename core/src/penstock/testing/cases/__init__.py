"""The cases, in chapters. Each quotes the sentence of the contract that it holds a gateway to."""
