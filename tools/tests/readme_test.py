# SPDX-License-Identifier: MIT
"""README's program, built from README itself, against peers that are Python's own: one that answers, one that hangs
up, none at all; and what README says it prints then."""

import pathlib
import re
import socket
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent


def listening():
    server = socket.socket()
    server.bind(("127.0.0.1", 0))
    server.listen(1)
    return server, server.getsockname()[1]


def serve(server, answer):
    """One connection: reads a line, sends the answer made of it, ends."""
    connection, _ = server.accept()
    with connection:
        line = connection.makefile("rb").readline()
        connection.sendall(answer(line))


def run(program, *arguments):
    return subprocess.run([program, *map(str, arguments)], check=False, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True, timeout=60)


def run_against(program, answer):
    server, port = listening()
    with server:
        thread = threading.Thread(target=serve, args=(server, answer))
        thread.start()
        result = run(program, "127.0.0.1", port)
        thread.join()
    return result


def main():
    program = sys.argv[1]
    said = re.search(r"^```text\n(ConnectionRefusedError: .*)\n```$", (ROOT / "README.md").read_text(encoding="utf-8"),
                     re.M).group(1)
    closed, port = listening()
    closed.close()
    rows = (
        ("an answer", run_against(program, lambda line: line[::-1].strip() + b"\n"), 0, "Received: !dlroW olleH\n", ""),
        ("no answer", run_against(program, lambda line: b""), 1, "", "Exception: the server hung up\n"),
        ("nobody", run(program, "127.0.0.1", port), 1, "", said.replace("8888", str(port)) + "\n"),
        ("no port", run(program, "127.0.0.1"), 2, "", "usage: %s HOST PORT\n" % program),
    )
    failures = 0
    for name, result, status, out, err in rows:
        if (result.returncode, result.stdout, result.stderr) != (status, out, err):
            failures += 1
            print("%s: wanted %r, got %r" % (name, (status, out, err),
                                            (result.returncode, result.stdout, result.stderr)))
    print("readme_test: rows=%d failures=%d" % (len(rows), failures))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
