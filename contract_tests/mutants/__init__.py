"""Every planted bug."""

from contract_tests.mutants import access, company, first, foreign, shape, styles, travel, values, writing
from contract_tests.mutants.planting import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant"]

_FILES = (first, company, values, access, travel, shape, foreign, writing, styles)  # importing a file plants its bugs
