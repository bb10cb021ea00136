"""Do the job that the first argument names."""

import sys

from core.local.worker.run import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
