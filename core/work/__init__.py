"""How jobs are done, where that is the same on every machine that does them."""
