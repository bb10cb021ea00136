"""`python -m core.serving --endpoint-file FILE [--tether]`: serve one endpoint until told to end."""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from core.domain.errors import SlipwayError
from core.serving import endpoint_file, logs
from core.serving.parent import Parent, listen


def main(arguments: list[str]) -> int:
    """The exit code: 0 after a clean end; 1 when it could not start, which is told as `{"error": ...}`, or failed."""
    parser = argparse.ArgumentParser(prog="python -m core.serving", description="Serve one endpoint.")
    parser.add_argument("--endpoint-file", type=Path, required=True, help="what to serve; read again on each change")
    parser.add_argument("--tether", action="store_true", help="end when standard input closes")
    given = parser.parse_args(arguments)
    os.umask(0o077)
    logs.configure()
    try:
        file = endpoint_file.read(given.endpoint_file)
        listener = listen(file.host, file.port)
    except SlipwayError as e:
        sys.stderr.write(logs.fatal(e))
        return 1
    return asyncio.run(Parent(given.endpoint_file, file, listener, tether=given.tether).run())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
