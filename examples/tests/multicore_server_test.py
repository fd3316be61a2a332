# SPDX-License-Identifier: MIT
#
# multicore_server with Python's sockets: the kernel spreads the connections over the threads.
import os
import re
import socket

import harness

NAME = 'multicore_server'
CORES = min(os.sysconf('SC_NPROCESSORS_ONLN'), 64)
CLIENTS = 128


def serving():
    return harness.Serving(harness.ours(NAME) + ['127.0.0.1', '0'])


class Multicore(harness.TwinCase):
    def assert_ended(self, outcome):
        """The main thread waits for SIGINT, and ends well by it."""
        self.assertEqual((outcome.error, outcome.status), (b'', 0))
        self.assertEqual(harness.without_ports(outcome.stdout),
                         b"Serving on ('127.0.0.1', PORT) with %d threads\n" % CORES)

    def thread_of(self, answer, line):
        match = re.fullmatch(rb'(\d+): ' + line, answer)
        self.assertIsNotNone(match, answer)
        return int(match.group(1))

    def test_connections_are_spread(self):
        with serving() as server:
            threads = [self.thread_of(server.exchange(b'%d\n' % number), b'%d\n' % number)
                       for number in range(CLIENTS)]
        self.assertLessEqual(set(threads), set(range(CORES)))
        if CORES > 1:  # all of them on one of two by chance: once in 2**127
            self.assertGreater(len(set(threads)), 1)
        self.assert_ended(server.outcome)

    def test_a_connection_stays_with_its_thread(self):
        with serving() as server:
            clients = [harness.connect(server.port) for _ in range(16)]
            files = [client.makefile('rwb', buffering=0) for client in clients]
            for number, file in enumerate(files):
                seen = set()
                for _ in range(3):
                    file.write(b'line %d\n' % number)
                    seen.add(self.thread_of(file.readline(), b'line %d\n' % number))
                self.assertEqual(len(seen), 1)
            for file, client in zip(files, clients):
                file.close()
                client.close()
        self.assert_ended(server.outcome)

    def test_interrupt_while_clients_are_connected(self):
        with serving() as server:
            clients = [harness.connect(server.port) for _ in range(8)]
            for client in clients:
                client.sendall(b'x\n')
                self.thread_of(client.recv(100), b'x\n')
            server.interrupt()
            server.wait()
            for client in clients:
                with client:
                    self.assertEqual(client.recv(1), b'')
        self.assert_ended(server.outcome)

    def test_port_is_taken(self):
        with socket.create_server(('127.0.0.1', 0)) as holder:
            outcome = harness.run(harness.ours(NAME) + ['127.0.0.1', str(holder.getsockname()[1])])
        self.assertEqual((outcome.stdout, outcome.status), (b'', 1))
        self.assertTrue(outcome.error.startswith(b'OSError: [Errno 98] error while attempting to bind on address'))

    def test_wrong_arguments(self):
        self.assertEqual(harness.run(harness.ours(NAME) + ['127.0.0.1']),
                         harness.Outcome(b'', b'usage: multicore_server [HOST PORT]', 2))


if __name__ == '__main__':
    harness.main()
