"""Every planted bug."""

from contract_tests.mutants import access, company, first, shape, travel, values
from contract_tests.mutants.planting import MUTANTS, Mutant

__all__ = ["MUTANTS", "Mutant"]

_FILES = (first, company, values, access, travel, shape)  # importing a file plants its bugs
