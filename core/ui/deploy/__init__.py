"""Deploy: a model behind an endpoint, and a file for each of its tabs."""
