# SPDX-License-Identifier: MIT
"""Finds the CPythons of this machine: PATH, pyenv, and what --oracle names."""
import glob
import os
import re
import shutil
import subprocess

from . import version
from .usage import UsageError

ASK = "import sys; print(sys.implementation.name, '%d.%d.%d' % sys.version_info[:3], sys.version_info.releaselevel)"
OLDEST = (3, 7)
NEWEST = (3, 14)


class Oracle:
    def __init__(self, path, name, number):
        self.path = path
        self.name = name
        self.version = number

    def supported(self):
        return self.name == "cpython" and OLDEST <= self.version[:2] <= NEWEST


def ask(path):
    try:
        answer = subprocess.run([path, "-c", ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return None
    words = answer.stdout.decode().split()
    if answer.returncode or len(words) != 3:
        return None
    return Oracle(path, words[0], version.parse(words[1]))


def candidates():
    yield from sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/*/bin/python3")))
    folders = os.environ.get("PATH", "").split(os.pathsep) + ["/usr/bin", "/usr/local/bin"]
    for folder in folders:
        for path in sorted(glob.glob(os.path.join(folder, "python3*"))):
            if re.match(r"python3(\.\d+)?$", os.path.basename(path)):
                yield path


def is_launcher(path):
    """pyenv's shims start whatever the folder asks for; the interpreters behind them are found on their own."""
    return os.path.basename(os.path.dirname(os.path.realpath(path))) == "shims"


def discover(named=(), look_around=True):
    """(supported, unsupported) interpreters, each version once; named ones come first and are never dropped."""
    found, files = {}, set()
    for wanted in list(named) + (list(candidates()) if look_around else []):
        path = shutil.which(wanted)
        if not path and wanted in named:
            raise UsageError("--oracle %s is no program" % wanted)
        if not path or os.path.realpath(path) in files or (wanted not in named and is_launcher(path)):
            continue
        files.add(os.path.realpath(path))
        oracle = ask(path)
        if oracle is None and wanted in named:
            raise UsageError("--oracle %s does not answer like a Python 3" % wanted)
        if oracle:
            found.setdefault((oracle.name, oracle.version), oracle)
    oracles = sorted(found.values(), key=lambda oracle: oracle.version)
    return [o for o in oracles if o.supported()], [o for o in oracles if not o.supported()]
