"""Every planted bug."""

from contract_tests.mutants import access, company, corners, first, foreign, shape, styles, travel, values, writing
from contract_tests.mutants.planting import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant"]

# Importing a file plants its bugs.
_FILES = (first, company, values, access, travel, shape, foreign, writing, styles, corners)
