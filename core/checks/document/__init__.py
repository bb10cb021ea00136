"""What an endpoint's own document promises: columns, forms, replies, keys, sizes. Nothing here sends a request."""
