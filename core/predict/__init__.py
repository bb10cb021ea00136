"""Read a model folder, encode columns, answer probabilities. numpy only: this is what the scoring server runs."""
