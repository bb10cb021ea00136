"""What kept inputs and answers say of a model in use: drift, predictions, and with outcomes how good it is."""
