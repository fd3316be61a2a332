# SPDX-License-Identifier: MIT
"""Finds the CPython that fuzz/cpython embeds: the newest here that has its headers and its library, or the one named.

Prints its answer for CMake, as a list: path, version, folder of the headers, library, what else to link. Asks the same
interpreters as the conformance harness (rillconf/oracles.py). Exit status 1 and the reason: there is none.
"""
import json
import pathlib
import subprocess
import sys

sys.dont_write_bytecode = True  # a source tree stays clean of caches
sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "conformance"))
from rillconf import oracles, version    # noqa: E402

OLDEST = (3, 8)     # its way to be configured: PyConfig
ASK = """
import json, sysconfig
names = ("INCLUDEPY", "LIBDIR", "LIBPL", "LDLIBRARY", "LIBRARY", "LIBS", "SYSLIBS", "Py_GIL_DISABLED")
print(json.dumps({name: sysconfig.get_config_var(name) or "" for name in names}))
"""


def library_of(says):
    """The shared library where there is one; else the static one."""
    for name in (says["LDLIBRARY"], says["LIBRARY"]):
        for folder in (says["LIBDIR"], says["LIBPL"]):
            path = pathlib.Path(folder, name)
            if name and path.is_file():
                return path
    return None


def embedding(oracle):
    """The answer for an interpreter, or None."""
    answer = subprocess.run([oracle.path, "-I", "-c", ASK], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=20)
    if answer.returncode:
        return None
    says = json.loads(answer.stdout.decode())
    library = library_of(says)
    if says["Py_GIL_DISABLED"] or not library or not pathlib.Path(says["INCLUDEPY"], "Python.h").is_file():
        return None
    more = [word for word in (says["LIBS"] + " " + says["SYSLIBS"]).split() if word.startswith("-l")] if library.suffix == ".a" else []
    return [oracle.path, version.show(oracle.version), says["INCLUDEPY"], str(library)] + more


def main():
    named = sys.argv[1:]
    try:
        found = oracles.discover(named=named, look_around=not named)[0]
    except LookupError as error:
        print(str(error).replace("--oracle ", ""))
        return 1
    for oracle in reversed(found):
        answer = oracle.version >= OLDEST and embedding(oracle)
        if answer:
            print(";".join(answer))
            return 0
    versions = ", ".join(version.show(oracle.version) for oracle in found) or "none"
    print("no CPython 3.8 or later has its headers and its library here (looked at: %s)" % versions)
    return 1


sys.exit(main())
