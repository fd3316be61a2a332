# SPDX-License-Identifier: MIT
"""Other implementations as testees: finds a Python with uvloop, and PyPy; the file that drives each is in testees/."""
import glob
import os
import shutil
import subprocess

from . import oracles
from .usage import UsageError

TESTEES = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "testees")
NAMES = ("uvloop", "pypy")
HOW_TO_GET = "no %s here: tools/setup --testees installs it on Debian and Ubuntu"


def has_uvloop(python):
    try:
        done = subprocess.run([python, "-c", "import uvloop"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def pythons_with_uvloop():
    for python in sorted(set(oracles.candidates()), key=lambda path: not path.startswith("/usr/bin/")):
        if not oracles.is_launcher(python) and has_uvloop(python):
            yield python


def pypys():
    yield from filter(None, [shutil.which("pypy3")])
    yield from sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/pypy3*/bin/pypy3")))


def command(name):
    """How to start that testee; UsageError when the machine has not got it."""
    found, driver = (pythons_with_uvloop(), "cpython_uvloop.py") if name == "uvloop" else (pypys(), "cpython.py")
    python = next(found, None)
    if python is None:
        raise UsageError(HOW_TO_GET % name)
    return [python, os.path.join(TESTEES, driver)]
