"""`python -m carrel.guarded PARENT COMMAND ...`: run a command that ends when its parent does, even by kill -9."""

from __future__ import annotations

import ctypes
import os
import signal
import sys

from carrel.cli import main

PR_SET_PDEATHSIG = 1
"""prctl(2)."""


def guarded(argv: list[str]) -> int:
    """Ask the kernel for SIGTERM at the parent's death, then run the command."""
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != int(argv[0]):
        return 1  # the parent was gone before we asked
    return main(argv[1:])


if __name__ == "__main__":
    sys.exit(guarded(sys.argv[1:]))
