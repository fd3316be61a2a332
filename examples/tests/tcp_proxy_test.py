# SPDX-License-Identifier: MIT
#
# tcp_proxy between Python's sockets: half-close, both directions at once, and what becomes of failures.
import contextlib
import socket
import threading

import harness
from harness import SocketPeer as Target

BIG = bytes(range(256)) * 4096 * 4  # 4 MB


def serving(target_port):
    return harness.Serving(harness.ours('tcp_proxy') + ['127.0.0.1', '0', '127.0.0.1', str(target_port)])


@contextlib.contextmanager
def proxied(script):
    """The proxy and its target: Ctrl-C ends the proxy when the target has done its script."""
    target = Target(script)
    with serving(target.port) as server:
        with target:
            yield server, target


class ProxyCase(harness.TwinCase):
    def assert_ended(self, outcome, error=b'KeyboardInterrupt'):
        self.assertEqual((outcome.error, outcome.status), (error, 130))
        self.assertEqual(harness.without_ports(outcome.stdout), b"Serving on ('127.0.0.1', PORT)\n")


class Bytes(ProxyCase):
    def test_half_close_of_the_client(self):
        """The target answers only after the client's end of file."""
        def script(connection):
            received = harness.read_to_end(connection)
            connection.sendall(b'answer to ' + received)
        with proxied(script) as (server, target):
            self.assertEqual(server.exchange(b'question'), b'answer to question')
        self.assert_ended(server.outcome)

    def test_half_close_of_the_target(self):
        """The client sends only after the target's end of file."""
        def script(connection):
            connection.sendall(b'all I have to say')
            connection.shutdown(socket.SHUT_WR)
            return harness.read_to_end(connection)
        with proxied(script) as (server, target):
            with harness.connect(server.port) as client:
                self.assertEqual(harness.read_to_end(client), b'all I have to say')
                client.sendall(b'then listen')
        self.assertEqual(target.result, b'then listen')
        self.assert_ended(server.outcome)

    def test_both_directions_at_once(self):
        def script(connection):
            sending = threading.Thread(target=lambda: (connection.sendall(BIG[::-1]),
                                                       connection.shutdown(socket.SHUT_WR)))
            sending.start()
            received = harness.read_to_end(connection)
            sending.join()
            return received
        with proxied(script) as (server, target):
            received = []
            with harness.connect(server.port) as client:
                reading = threading.Thread(target=lambda: received.append(harness.read_to_end(client)))
                reading.start()
                client.sendall(BIG)
                client.shutdown(socket.SHUT_WR)
                reading.join()
        self.assertTrue(target.result == BIG)
        self.assertTrue(received == [BIG[::-1]])
        self.assert_ended(server.outcome)

    def test_target_that_reads_late(self):
        """What the proxy holds for it is bounded: the client's sending stops long before the end."""
        reading = threading.Event()

        def script(connection):
            reading.wait(harness.PATIENCE_S)
            return len(harness.read_to_end(connection))
        with proxied(script) as (server, target):
            with harness.connect(server.port) as client:
                client.setblocking(False)
                sent = self.send_until_it_stops(client)
                self.assertLess(sent, 64 * len(BIG))
                reading.set()
                client.settimeout(harness.PATIENCE_S)
        self.assertEqual(target.result, sent)
        self.assert_ended(server.outcome)

    @staticmethod
    def send_until_it_stops(client):
        """Bytes that went before the connection took none for as long as a tenth of a second."""
        sent = 0
        client.settimeout(0.1)
        while sent < 64 * len(BIG):
            try:
                sent += client.send(BIG)
            except socket.timeout:
                break
        return sent

    def test_socat(self):
        socat = harness.tool('socat')

        def script(connection):
            connection.sendall(harness.read_to_end(connection).upper())
        with proxied(script) as (server, target):
            outcome = harness.run([socat, '-t', str(harness.PATIENCE_S), '-', 'TCP4:127.0.0.1:%d' % server.port],
                                  b'Hello World!')
        self.assertEqual(outcome, harness.Outcome(b'HELLO WORLD!', b'', 0))
        self.assert_ended(server.outcome)


class Failures(ProxyCase):
    def assert_reset(self, connection):
        with self.assertRaises(ConnectionResetError):
            harness.read_to_end(connection)

    def test_target_refuses(self):
        with harness.refusing_port() as port, serving(port) as server:
            # The reset may come before connect() has returned.
            with self.assertRaises(ConnectionResetError), harness.connect(server.port) as client:
                harness.read_to_end(client)
            server.interrupt()
            stdout, stderr = server.process.communicate(timeout=harness.PATIENCE_S)
            server.outcome = stdout
        self.assertEqual(harness.without_ports(stderr), b"tcp_proxy: [Errno 111] Connect call failed "
                                                        b"('127.0.0.1', PORT)\nKeyboardInterrupt\n")

    def test_target_resets(self):
        def script(connection):
            connection.recv(100)
            harness.reset(connection)
        with proxied(script) as (server, target):
            with harness.connect(server.port) as client:
                client.sendall(b'question')
                self.assert_reset(client)
        self.assert_ended(server.outcome)

    def test_client_resets(self):
        def script(connection):
            connection.sendall(b'ready')
            self.assert_reset(connection)
        with proxied(script) as (server, target):
            client = harness.connect(server.port)
            self.assertEqual(client.recv(100), b'ready')
            harness.reset(client)
        self.assert_ended(server.outcome)

    def test_interrupt_while_a_client_is_connected(self):
        """Both sides end; whether the target sees the client's end first or a reset is a race."""
        ready = threading.Event()

        def script(connection):
            received = connection.recv(100)
            ready.set()
            with contextlib.suppress(ConnectionResetError):
                self.assertEqual(harness.read_to_end(connection), b'')
            return received
        with proxied(script) as (server, target):
            with harness.connect(server.port) as client:
                client.sendall(b'sent before')
                self.assertTrue(ready.wait(harness.PATIENCE_S))
                server.interrupt()
                server.wait()
                self.assertEqual(harness.read_to_end(client), b'')
        self.assertEqual(target.result, b'sent before')
        self.assert_ended(server.outcome)

    def test_wrong_arguments(self):
        for arguments in [], ['127.0.0.1', '0', '127.0.0.1'], ['--help']:
            self.assertEqual(harness.run(harness.ours('tcp_proxy') + arguments), harness.Outcome(
                b'', b'usage: tcp_proxy HOST PORT TARGET_HOST TARGET_PORT', 2))


if __name__ == '__main__':
    harness.main()
