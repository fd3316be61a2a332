# SPDX-License-Identifier: MIT
"""tools/bench's server on asyncio streams over uvloop's loop: server_asyncio.py, unchanged."""
import os
import runpy
import sys

import uvloop

uvloop.install()
sys.argv[0] = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "server_asyncio.py")
runpy.run_path(sys.argv[0], run_name="__main__")
