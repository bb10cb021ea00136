"""The learners: one file a library, each with its fit, its way into plain arrays, and configurations worth trying."""
