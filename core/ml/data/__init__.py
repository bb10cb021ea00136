"""The table: what it holds, what is wrong with it, and how its cells become what a learner reads."""
