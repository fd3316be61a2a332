# SPDX-License-Identifier: MIT
"""What the harness's own tests share: the path to it, a folder of throw-away cases, a run of the command."""
import os
import subprocess
import sys
import tempfile

HOME = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
sys.path.insert(0, HOME)

CPYTHON = os.path.join(HOME, "testees", "cpython.py")


def write_case(folder, name, text):
    path = os.path.join(folder, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


class Cases:
    """`with Cases({"area/topic.case": text}) as folder`"""

    def __init__(self, files):
        self.files = files

    def __enter__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rill-cases-")
        for name, text in self.files.items():
            write_case(self.folder.name, name, text)
        return self.folder.name

    def __exit__(self, *details):
        self.folder.cleanup()


def conform(*arguments, **keywords):
    """Runs the command; returns status and what it printed."""
    done = subprocess.run([sys.executable, HOME] + list(arguments), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          timeout=120, check=False, universal_newlines=True, **keywords)
    return done.returncode, done.stdout
