# SPDX-License-Identifier: MIT
"""`python3 conformance` runs the harness; tools/conform builds rill first and then does the same."""
import os
import sys

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))

from rillconf.cli import main   # noqa: E402  (the path must be set first)

sys.exit(main())
