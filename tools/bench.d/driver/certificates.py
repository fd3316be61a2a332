# SPDX-License-Identifier: MIT
"""The certificate of the TLS works: made anew for each run, by the openssl command, and thrown away with its folder."""
import os
import shutil
import subprocess
import tempfile

from . import measure

MISSING = "openssl: the command makes the certificate of the TLS works, which are left out"


def are_possible():
    return shutil.which("openssl") is not None


class Certificate:
    """`arguments`: the certificate's file and its key's, for a server. A context manager: it removes both."""

    def __init__(self):
        self.folder = tempfile.TemporaryDirectory(prefix="rill-bench-")
        self.file = os.path.join(self.folder.name, "certificate.pem")
        self.arguments = [self.file, os.path.join(self.folder.name, "key.pem")]

    def __enter__(self):
        command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                   "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", self.arguments[0],
                   "-keyout", self.arguments[1]]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              universal_newlines=True)
        if done.returncode != 0:
            self.folder.cleanup()
            raise measure.Failed("%s\n%s failed" % (done.stdout, " ".join(command)))
        return self

    def __exit__(self, *_):
        self.folder.cleanup()
