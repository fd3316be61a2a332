# SPDX-License-Identifier: MIT
#
# unix_request and unix_response, each against Python's AF_UNIX sockets, and unix_response through socat.
import contextlib
import os
import socket
import struct
import tempfile

import harness

REQUEST = 'unix_request'
RESPONSE = 'unix_response'
LONGEST = 60000


def frame(message):
    return struct.pack('>I', len(message)) + message


def read_exactly(connection, size):
    """MSG_WAITALL does not wait on a socket with a timeout."""
    received = b''
    while len(received) < size:
        data = connection.recv(size - len(received))
        if not data:
            break
        received += data
    return received


def read_frame(connection):
    return read_exactly(connection, *struct.unpack('>I', read_exactly(connection, 4)))


class UnixCase(harness.TwinCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = os.path.join(folder.name, 's')

    def serving(self):
        return harness.Serving(harness.ours(RESPONSE) + [self.path])

    def connect(self):
        client = socket.socket(socket.AF_UNIX)
        client.settimeout(harness.PATIENCE_S)
        client.connect(self.path)
        return client

    def listener(self):
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(self.path)
        listener.listen()
        return listener

    def ask(self, *texts):
        return harness.run(harness.ours(REQUEST) + [self.path, *texts])

    def assert_ended(self, server, error=b'KeyboardInterrupt'):
        """Ctrl-C removes the file as well."""
        self.assertEqual(server.outcome, harness.Outcome(b"Serving on '%s'\n" % self.path.encode(), error, 130))
        self.assertFalse(os.path.exists(self.path))


class Request(UnixCase):
    def test_requests_and_responses(self):
        received = []

        def script(connection):
            # The last answer is longer than a message may be: it is refused unread, so sending the rest of it may fail.
            with contextlib.suppress(ConnectionResetError, BrokenPipeError):
                for _ in range(3):
                    received.append(read_frame(connection))
                    answer = b'answer to ' + received[-1]
                    connection.sendall(frame(answer)[:6])  # in two pieces
                    connection.sendall(frame(answer)[6:])
                self.assertEqual(harness.read_to_end(connection), b'')
        with harness.SocketPeer(script, listener=self.listener()):
            outcome = self.ask('one', '', 'x' * LONGEST)
        self.assertEqual(received, [b'one', b'', b'x' * LONGEST])
        self.assertEqual(outcome, harness.Outcome(
            b'answer to one\nanswer to \n', b'ValueError: a message of 60010 bytes, where 60000 are allowed', 1))

    def test_longest_answer(self):
        def script(connection):
            read_frame(connection)
            connection.sendall(frame(b'y' * LONGEST))
        with harness.SocketPeer(script, listener=self.listener()):
            self.assertEqual(self.ask('one'), harness.Outcome(b'y' * LONGEST + b'\n', b'', 0))

    def test_server_that_breaks_off(self):
        for answer, error in ((b'', b'ConnectionResetError: the server has closed the connection'),
                              (b'\0\0', b'asyncio.exceptions.IncompleteReadError: '
                                        b'2 bytes read on a total of 4 expected bytes'),
                              (b'\0\0\0\5abc', b'asyncio.exceptions.IncompleteReadError: '
                                               b'3 bytes read on a total of 5 expected bytes')):
            def script(connection):
                read_frame(connection)
                connection.sendall(answer)
            with self.subTest(answer=answer):
                with harness.SocketPeer(script, listener=self.listener()):
                    self.assertEqual(self.ask('one'), harness.Outcome(b'', error, 1))
                os.unlink(self.path)

    def test_no_server(self):
        self.assertEqual(self.ask('one'), harness.Outcome(
            b'', b'FileNotFoundError: [Errno 2] No such file or directory', 1))
        with socket.socket(socket.AF_UNIX) as bound:
            bound.bind(self.path)
            self.assertEqual(self.ask('one'), harness.Outcome(
                b'', b'ConnectionRefusedError: [Errno 111] Connection refused', 1))


class Response(UnixCase):
    def test_requests_of_several_clients(self):
        texts = {b'': b'0 lines, 0 words, 0 bytes', b'two words\n': b'1 lines, 2 words, 10 bytes',
                 b' a\tb\n\nc': b'2 lines, 3 words, 7 bytes', b'x' * LONGEST: b'0 lines, 1 words, 60000 bytes'}
        with self.serving() as server:
            clients = [self.connect() for _ in range(3)]
            for text, answer in texts.items():
                for client in clients:
                    client.sendall(frame(text))
                for client in clients:
                    self.assertEqual(read_frame(client), answer)
            for client in clients:
                client.close()
        self.assert_ended(server)

    def test_socat(self):
        socat = harness.tool('socat')
        with self.serving() as server:
            outcome = harness.run([socat, '-t', str(harness.PATIENCE_S), '-', 'UNIX-CONNECT:' + self.path],
                                  frame(b'one') + frame(b'two words'))
        self.assertEqual(outcome, harness.Outcome(
            frame(b'0 lines, 1 words, 3 bytes') + frame(b'0 lines, 2 words, 9 bytes'), b'', 0))
        self.assert_ended(server)

    def test_the_pair(self):
        with self.serving() as server:
            self.assertEqual(self.ask('one', 'two words'), harness.Outcome(
                b'0 lines, 1 words, 3 bytes\n0 lines, 2 words, 9 bytes\n', b'', 0))
        self.assert_ended(server)


class Failures(UnixCase):
    def test_clients_that_break_the_rules(self):
        with self.serving() as server:
            for data, error in ((struct.pack('>I', LONGEST + 1),
                                 b'unix_response: a message of 60001 bytes, where 60000 are allowed'),
                                (b'\0\0\0\5abc', b'unix_response: 3 bytes read on a total of 5 expected bytes')):
                self.assertEqual(harness.exchange(self.connect(), data), b'')
                self.assertEqual(server.process.stderr.readline(), error + b'\n')
            self.assertEqual(harness.exchange(self.connect(), frame(b'one')), frame(b'0 lines, 1 words, 3 bytes'))
        self.assert_ended(server)

    def test_interrupt_while_a_client_is_connected(self):
        with self.serving() as server:
            with self.connect() as client:
                client.sendall(frame(b'one'))
                read_frame(client)
                server.interrupt()
                server.wait()
                self.assertEqual(client.recv(1), b'')
        self.assert_ended(server)

    def test_stale_file_is_replaced(self):
        self.listener().close()
        self.assertTrue(os.path.exists(self.path))
        with self.serving() as server:
            self.assertEqual(harness.exchange(self.connect(), frame(b'one')), frame(b'0 lines, 1 words, 3 bytes'))
        self.assert_ended(server)

    def test_plain_file_is_in_the_way(self):
        with open(self.path, 'w', encoding='ascii') as file:
            file.write('precious')
        outcome = harness.run(harness.ours(RESPONSE) + [self.path])
        self.assertEqual(outcome, harness.Outcome(
            b'', b'OSError: [Errno 98] Address %s is already in use' % repr(self.path).encode(), 1))
        with open(self.path, encoding='ascii') as file:
            self.assertEqual(file.read(), 'precious')

    def test_wrong_arguments(self):
        self.assertEqual(harness.run(harness.ours(RESPONSE)), harness.Outcome(b'', b'usage: unix_response PATH', 2))
        self.assertEqual(self.ask(), harness.Outcome(b'', b'usage: unix_request PATH TEXT...', 2))


if __name__ == '__main__':
    harness.main()
