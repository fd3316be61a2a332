# SPDX-License-Identifier: MIT
"""`python3 conformance` runs the harness; tools/conform builds rill first and then does the same."""
import os
import signal
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rillconf.cli import main   # noqa: E402  (the path must be set first)

status = main()
signal.signal(signal.SIGINT, signal.SIG_DFL)    # the verdict is out: who interrupts the interpreter's own end needs no traceback
sys.exit(status)
