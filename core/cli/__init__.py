"""The command line: the verbs of the workspace, one table of commands a noun, and what drives them."""
