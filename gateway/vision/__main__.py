"""`python -m gateway.vision`: one child program of the vision house, or a one-shot look for a command."""

import os
import sys

from gateway.vision.command import main

if __name__ == "__main__":
    status = main(sys.argv[1:])
    sys.stdout.flush()
    sys.stderr.flush()
    # Threads of decoders may still be inside libraries that do not survive an interpreter that is taken down.
    os._exit(status)
