"""The contract of a scoring endpoint: signature, document, request bodies, samples and snippets."""
