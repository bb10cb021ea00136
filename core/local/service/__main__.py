"""Run the service of the workspace that the environment names."""

import sys

from core.local.service.loop import main

if __name__ == "__main__":
    sys.exit(main())
