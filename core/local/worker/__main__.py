"""Do the job that the first argument names."""

import sys

from core.local.worker.run import main
from core.local.workspace import open_local

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], open_local))
