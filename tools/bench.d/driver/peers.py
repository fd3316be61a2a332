# SPDX-License-Identifier: MIT
"""Who is measured: rill, the raw epoll server, asyncio on any number of CPythons, and others. A peer that is not there says why."""
import os
import shutil
import subprocess
import sys

FOLDER = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
KINDS = ["rill", "raw", "libuv", "libevent", "asio", "tokio", "go", "uvloop", "asyncio"]
ABOUT = {
    "rill": "this project, built as users get it",
    "raw": "hand-written epoll server in C; every ratio is to it",
    "libuv": "callbacks",
    "libevent": "bufferevents",
    "asio": "Boost.Asio, C++20 coroutines",
    "tokio": "tasks on one thread; TLS by rustls",
    "go": "goroutines on one processor; TLS by crypto/tls",
    "uvloop": "asyncio's streams on libuv",
    "asyncio": "CPython's own streams, on the interpreters of --python",
}
# The others that are programs: what Debian calls what they need.
PACKAGES = {
    "libuv": "libuv1-dev", "libevent": "libevent-dev", "asio": "g++ libboost-dev", "go": "golang-go",
    "tokio": "cargo librust-tokio-dev librust-tokio-rustls-dev librust-rustls-pemfile-dev",
}
INSTALLED = tuple(PACKAGES) + ("uvloop",)  # by tools/setup --bench
WITHOUT_TLS = ("libuv",)
OWN_THREADS = ("go",)  # its collector and scheduler take the processor from each other


class Peer:
    def __init__(self, name, command, version="", missing=""):
        self.name = name
        self.command = command  # the server's, without the work's name
        self.version = version
        self.missing = missing  # why it cannot run; "" when it can
        self.has_tls = name not in WITHOUT_TLS
        self.own_threads = name in OWN_THREADS

    def as_json(self):
        return {"name": self.name, "version": self.version, "missing": self.missing or None}


def default_python():
    """The system's python3, as most servers run it; else the one that runs this program."""
    return "/usr/bin/python3" if os.path.exists("/usr/bin/python3") else sys.executable


def _program(name, folder):
    path = os.path.join(folder, "bench-server-" + name)
    missing = ""
    if not os.access(path, os.X_OK):
        missing = "not built; it needs %s" % PACKAGES[name] if name in PACKAGES else "there is no %s" % path
    return Peer(name, [path], missing=missing)


def _uvloop():
    """On the interpreter that Debian's package is for."""
    python = default_python()
    question = "import sys, uvloop; print('uvloop', uvloop.__version__, 'on CPython', '%d.%d.%d' % sys.version_info[:3])"
    answer = subprocess.run([python, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, universal_newlines=True)
    missing = "" if answer.returncode == 0 else "%s has no uvloop; it needs python3-uvloop" % python
    return Peer("uvloop", [python, os.path.join(FOLDER, "peers", "server_uvloop.py")], answer.stdout.strip(), missing)


def _asyncio(python):
    path = shutil.which(python)
    server = os.path.join(FOLDER, "server_asyncio.py")
    if path is None:
        return Peer("asyncio(%s)" % python, [], missing="no such interpreter")
    question = "import asyncio, sys; print('%d.%d.%d' % sys.version_info[:3]); sys.exit(sys.version_info < (3, 7))"
    answer = subprocess.run([path, "-c", question], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            universal_newlines=True)
    version = answer.stdout.strip()
    if answer.returncode != 0:
        return Peer("asyncio(%s)" % python, [], version, "it is older than 3.7 or has no asyncio")
    return Peer("asyncio-" + version, [path, server], "CPython " + version)


def find(kinds, pythons, folder):
    """The peers of these kinds, in the order of KINDS; programs in C are looked for in `folder`."""
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError("no such peer: %s (there are %s)" % (", ".join(unknown), ", ".join(KINDS)))
    peers = []
    for kind in KINDS:
        if kind not in kinds:
            continue
        if kind == "asyncio":
            peers += [_asyncio(python) for python in pythons]
        elif kind == "uvloop":
            peers.append(_uvloop())
        else:
            peers.append(_program(kind, folder))
    return peers
