# SPDX-License-Identifier: MIT
"""The servers of tools/bench do the same work: whole lines, slow readers, an unfinished last line, lines too long.

The loads never reach these corners, but a server that skipped them would be compared unfairly.
usage: servers_test.py DIR-OF-PROGRAMS DRIVER'S-PARENT
"""
import os
import random
import select
import socket
import ssl
import subprocess
import sys
import threading
import unittest

sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[2])

from driver import certificates, peers  # noqa: E402

HERE = os.path.dirname(os.path.abspath(__file__))
PROGRAMS = sys.argv[1]
SERVERS = {
    "raw": [os.path.join(PROGRAMS, "bench-server-raw")],
    "rill": [os.path.join(PROGRAMS, "bench-server-rill")],
    "asyncio": [sys.executable, os.path.join(os.path.dirname(HERE), "server_asyncio.py")],
}
for peer in peers.PACKAGES:     # those that were built
    if os.access(os.path.join(PROGRAMS, "bench-server-" + peer), os.X_OK):
        SERVERS[peer] = [os.path.join(PROGRAMS, "bench-server-" + peer)]
LIMIT = 65536


def lines_of(total, seed):
    chance = random.Random(seed)
    parts = []
    size = 0
    while size < total:
        part = b"x" * chance.choice([0, 1, 63, 200, 5000, 60000]) + b"\n"
        parts.append(part)
        size += len(part)
    return b"".join(parts)


class Served:
    """A server with one connection to it, over TLS when there is a certificate."""

    def __init__(self, command, work, certificate=None):
        tls = certificate.arguments if certificate else []
        self.process = subprocess.Popen(command + [work] + tls, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                        universal_newlines=True)
        port = int(self.process.stdout.readline().split("port=")[1].split()[0])
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=60)
        if certificate:
            context = ssl.create_default_context(cafile=certificate.file)
            self.socket = context.wrap_socket(self.socket, server_hostname="localhost")

    def __enter__(self):
        return self.socket

    def __exit__(self, *_):
        self.socket.close()
        self.process.terminate()
        self.process.wait()
        self.process.stdout.close()


def read_all(connection):
    parts = []
    while True:
        try:
            part = connection.recv(1 << 16)
        except ConnectionResetError:  # closed with unread input, which TCP tells so
            break
        if not part:
            break
        parts.append(part)
    return b"".join(parts)


def exchange(command, work, data, wait_until_stuck):
    """Sends data and half-closes; what came back. wait_until_stuck: reads nothing before the server reads nothing."""
    with Served(command, work) as connection:
        sent_all = threading.Event()

        def send():
            try:
                connection.sendall(data)
                connection.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # the server closed; what it answered says whether it should have
            sent_all.set()

        sender = threading.Thread(target=send)
        sender.start()
        if wait_until_stuck:
            # An echo that fills both directions: nothing can move before somebody reads.
            assert not sent_all.wait(1), "the server took everything although nobody read its answer"
        answer = read_all(connection)
        sender.join()
        return answer


class Servers(unittest.TestCase):
    def each(self, work, data, want, wait_until_stuck=False):
        for name, command in SERVERS.items():
            with self.subTest(server=name):
                answer = exchange(command, work, data, wait_until_stuck)
                self.assertTrue(answer == want, "%d bytes, wanted %d; begins %r, wanted %r"
                                % (len(answer), len(want), answer[:40], want[:40]))

    def test_lines_of_all_sizes_come_back(self):
        data = lines_of(3 << 20, 1)
        self.each("echo", data, data)
        longest = b"x" * LIMIT + b"\n"
        self.each("echo", longest, longest)

    def test_nothing_is_lost_or_hoarded_for_a_slow_reader(self):
        data = lines_of(96 << 20, 2)
        self.each("echo", data, data, wait_until_stuck=True)

    def test_an_unfinished_last_line_comes_back(self):
        self.each("echo", b"one\ntwo", b"one\ntwo")
        self.each("echo", b"", b"")

    def test_a_line_too_long_ends_the_connection(self):
        for work in ("echo", "lines"):
            self.each(work, b"x" * (LIMIT + 1) + b"\n", b"")
            self.each(work, b"x" * (3 * LIMIT), b"")

    def test_every_line_is_counted(self):
        data = lines_of(8 << 20, 3)
        self.each("lines", data, b"%d %d\n" % (data.count(b"\n"), len(data)))
        self.each("lines", b"one\ntwo", b"2 7\n")
        self.each("lines", b"", b"0 0\n")


    def test_every_message_is_counted(self):
        chance = random.Random(5)
        lines = [b"", b"\n", b"\r", b"x", b"x" * 5000, b"x" * 60000]
        messages = [b"x" + b"\r\n".join([b"y" + chance.choice(lines) for _ in range(chance.randrange(4))]) + b"\r\n\r\n"
                    for _ in range(300)]
        messages = [message for message in messages if len(message) < LIMIT]
        data = b"".join(messages)
        whole = data.split(b"\r\n\r\n")
        self.each("messages", data, b"%d %d\n" % (len(whole) - 1, len(data)))
        self.each("messages", b"one\r\n\r\ntwo\r\n\r", b"1 7\n")
        self.each("messages", b"\r\n\r\n" * 1000, b"1000 4000\n")
        self.each("messages", b"", b"0 0\n")

    def test_bytes_come_back(self):
        data = lines_of(96 << 20, 6)
        self.each("bulk", data, data, wait_until_stuck=True)
        self.each("bulk", b"no line", b"no line")


def exchange_at_once(connection, data, size):
    """Sends data and reads `size` bytes meanwhile: an echo fills both directions. In one thread, because OpenSSL's
    sessions are for one, and not every version of Python guards them."""
    parts = []
    connection.setblocking(False)
    rest = memoryview(data)
    while size > 0:
        moved = False
        try:
            if rest:
                rest = rest[connection.send(rest[:1 << 16]):]
                moved = True
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        try:
            parts.append(connection.recv(min(size, 1 << 16)))
            size -= len(parts[-1])
            moved = True
            if not parts[-1]:
                break
        except (ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        if not moved and select.select([connection], [connection] if rest else [], [], 60) == ([], [], []):
            break
    connection.setblocking(True)
    return b"".join(parts)


@unittest.skipUnless(certificates.are_possible(), "the openssl command is missing")
class TlsServers(unittest.TestCase):
    """Over TLS nothing can be sent after the end: what is to come back is read first, then both sides say close_notify."""

    @classmethod
    def setUpClass(cls):
        cls.certificate = certificates.Certificate().__enter__()
        cls.servers = {name: command for name, command in SERVERS.items() if name not in peers.WITHOUT_TLS}

    @classmethod
    def tearDownClass(cls):
        cls.certificate.__exit__()

    def each(self, work, data, want, servers=None):
        for name, command in (servers or self.servers).items():
            with self.subTest(server=name), Served(command, work, self.certificate) as connection:
                answer = exchange_at_once(connection, data, len(want))
                self.assertTrue(answer == want, "%d bytes, wanted %d" % (len(answer), len(want)))
                connection.unwrap()  # raises when the server cuts the connection without close_notify

    def test_lines_of_all_sizes_come_back(self):
        data = lines_of(3 << 20, 1)
        self.each("echo", data, data)
        longest = b"x" * LIMIT + b"\n"
        self.each("echo", longest, longest)

    def test_only_whole_lines_come_back(self):
        """As in asyncio, whose TLS has no half-closed state; other libraries send the rest behind close_notify."""
        self.each("echo", b"one\ntwo", b"one\n", {name: SERVERS[name] for name in ("raw", "rill", "asyncio")})

    def test_bytes_come_back(self):
        data = lines_of(16 << 20, 4)
        self.each("bulk", data, data)
        self.each("bulk", b"no line", b"no line")

    def test_a_line_too_long_ends_the_connection(self):
        for name, command in self.servers.items():
            with self.subTest(server=name), Served(command, "echo", self.certificate) as connection:
                connection.sendall(b"x" * (LIMIT + 1) + b"\n")
                try:
                    self.assertEqual(connection.recv(1), b"")
                except (ConnectionResetError, ssl.SSLError):
                    pass  # closed with unread input


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1], verbosity=2)
