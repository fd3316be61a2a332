# SPDX-License-Identifier: MIT
#
# embedded_server with Python's sockets: the application's timer runs on while clients are served.
import socket

import harness

NAME = 'embedded_server'


def serving():
    return harness.Serving(harness.ours(NAME) + ['127.0.0.1', '0'])


class Embedded(harness.TwinCase):
    def assert_ended(self, outcome):
        """The application itself looks at SIGINT, and ends well by it."""
        self.assertEqual((outcome.error, outcome.status), (b'', 0))
        self.assertEqual(harness.without_ports(outcome.stdout), b"Serving on ('127.0.0.1', PORT)\n")

    def ask(self, client):
        client.sendall(b'?\n')
        word, number = client.recv(100).split()
        self.assertEqual(word, b'tick')
        return int(number)

    def test_timer_and_clients(self):
        with serving() as server:
            with harness.connect(server.port) as one, harness.connect(server.port) as two:
                first = last = self.ask(one)
                while last < first + 3:
                    for client in two, one:
                        now = self.ask(client)
                        self.assertGreaterEqual(now, last)
                        last = now
        self.assert_ended(server.outcome)

    def test_timer_without_clients(self):
        """Nothing is asked meanwhile: the loop is woken by its own timer, or by the connection."""
        with serving() as server:
            with harness.connect(server.port) as client:
                first = self.ask(client)
            with socket.socket() as nobody:
                nobody.settimeout(0.5)
                nobody.connect(('127.0.0.1', server.port))
                with self.assertRaises(socket.timeout):
                    nobody.recv(1)
            with harness.connect(server.port) as client:
                self.assertGreater(self.ask(client), first)
        self.assert_ended(server.outcome)

    def test_interrupt_idle_and_with_clients(self):
        with serving() as server:
            pass
        self.assert_ended(server.outcome)
        with serving() as server:
            with harness.connect(server.port) as client:
                self.ask(client)
                server.interrupt()
                server.wait()
                self.assertEqual(client.recv(1), b'')
        self.assert_ended(server.outcome)

    def test_client_resets(self):
        with serving() as server:
            client = harness.connect(server.port)
            self.ask(client)
            harness.reset(client)
            with harness.connect(server.port) as client:
                self.ask(client)
        self.assert_ended(server.outcome)

    def test_port_is_taken(self):
        with socket.create_server(('127.0.0.1', 0)) as holder:
            outcome = harness.run(harness.ours(NAME) + ['127.0.0.1', str(holder.getsockname()[1])])
        self.assertEqual((outcome.stdout, outcome.status), (b'', 1))
        self.assertTrue(outcome.error.startswith(b'OSError: [Errno 98] error while attempting to bind on address'))

    def test_wrong_arguments(self):
        self.assertEqual(harness.run(harness.ours(NAME) + ['127.0.0.1']),
                         harness.Outcome(b'', b'usage: embedded_server [HOST PORT]', 2))


if __name__ == '__main__':
    harness.main()
