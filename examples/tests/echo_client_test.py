# SPDX-License-Identifier: MIT
#
# echo_client and echo_client_no_wait beside their twins, against servers that are not rill's.
import asyncio
import re
import threading

import harness
from harness import SocketPeer as Server

NAMES = 'echo_client', 'echo_client_no_wait'
MESSAGE = b'Hello World!'
WHOLE = b"Send: 'Hello World!'\nReceived: 'Hello World!'\nClose the connection\n"


class AsyncioServer:
    """CPython's own echo server on streams, in a thread."""

    def __init__(self):
        self.port = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._main()))

    async def _echo(self, reader, writer):
        writer.write(await reader.read(100))
        await writer.drain()
        await reader.read()
        writer.close()

    async def _main(self):
        self._stop = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._echo, '127.0.0.1', 0)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._stop.wait()
        server.close()

    def __enter__(self):
        self._thread.start()
        assert self._ready.wait(harness.PATIENCE_S)
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()


class AsyncioPeer(harness.TwinCase):
    def test_echo(self):
        for name in NAMES:
            with self.subTest(name=name), AsyncioServer() as server:
                outcome = self.assert_twins(
                    lambda command: harness.run(command + ['127.0.0.1', str(server.port)]), name)
                self.assertEqual(outcome, harness.Outcome(WHOLE, b'', 0))

    def test_host_by_name(self):
        with AsyncioServer() as server:
            outcome = self.assert_twins(
                lambda command: harness.run(command + ['localhost', str(server.port)]), 'echo_client')
            self.assertEqual(outcome, harness.Outcome(WHOLE, b'', 0))


class SocatPeer(harness.TwinCase):
    def echo(self, command):
        socat = harness.start([self.socat, '-dd', 'TCP4-LISTEN:0,bind=127.0.0.1', 'PIPE'])
        try:
            for line in socat.stderr:
                listening = re.search(rb'listening on AF=2 127\.0\.0\.1:(\d+)', line)
                if listening:
                    outcome = harness.run(command + ['127.0.0.1', listening.group(1).decode()])
                    harness.finish(socat)
                    return outcome
            raise AssertionError('socat did not listen')
        finally:
            socat.kill()
            socat.communicate()

    def test_echo(self):
        self.socat = harness.tool('socat')
        for name in NAMES:
            with self.subTest(name=name):
                outcome = self.assert_twins(self.echo, name)
                self.assertEqual(outcome, harness.Outcome(WHOLE, b'', 0))


def against(script):
    """The situation: one connection to a server that does script(connection) and tells what it saw."""
    def situation(command):
        with Server(script) as server:
            outcome = harness.run(command + ['127.0.0.1', str(server.port)])
        return outcome, server.result
    return situation


def answer(data):
    """Reads the message, answers, ends its own side, and returns all that the client sent up to its end."""
    def script(connection):
        received = connection.recv(100)
        connection.sendall(data)
        return received + harness.read_to_end(connection)
    return script


class SocketPeer(harness.TwinCase):
    def assert_answer(self, data, shown):
        for name in NAMES:
            with self.subTest(name=name, data=data):
                outcome, received = self.assert_twins(against(answer(data)), name)
                self.assertEqual(received, MESSAGE)
                self.assertEqual(outcome.stdout.decode().split('\n')[1], 'Received: ' + shown)
                self.assert_success(outcome)

    def test_answers(self):
        self.assert_answer(b'Hello World!', "'Hello World!'")
        self.assert_answer('na\xefve \u20ac \U0001f600 \xa0\u200b'.encode(), "'na\xefve \u20ac \U0001f600 \\xa0\\u200b'")
        self.assert_answer(b'it\'s\0"\r\n\x7f\\', "'it\\'s\\x00\"\\r\\n\\x7f\\\\'")

    def test_more_than_asked_for(self):
        self.assert_answer(b'x' * 100, repr('x' * 100))
        self.assert_answer(b'x' * 99 + b'yz', repr('x' * 99 + 'y'))

    def test_server_ends_without_an_answer(self):
        for name in NAMES:
            with self.subTest(name=name):
                outcome, received = self.assert_twins(against(lambda connection: connection.recv(100)), name)
                self.assertEqual(received, MESSAGE)
                self.assertEqual(outcome.stdout, WHOLE.replace(b"Received: 'Hello World!'", b"Received: ''"))
                self.assert_success(outcome)


def read_then_reset(connection):
    received = connection.recv(100)
    harness.reset(connection)
    return received


class Failures(harness.TwinCase):
    def test_refused(self):
        for name in NAMES:
            with self.subTest(name=name), harness.refusing_port() as port:
                outcome = self.assert_twins(lambda command: harness.run(command + ['127.0.0.1', str(port)]), name)
                self.assertEqual(outcome, harness.Outcome(
                    b'', b"ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', PORT)", 1))

    def test_reset_while_reading(self):
        for name in NAMES:
            with self.subTest(name=name):
                outcome, _ = self.assert_twins(against(read_then_reset), name)
                self.assertEqual(outcome, harness.Outcome(
                    b"Send: 'Hello World!'\n", b'ConnectionResetError: [Errno 104] Connection reset by peer', 1))

    def test_unknown_service(self):
        """Python's traceback names the class with its module, `socket.gaierror`; rill has no modules."""
        def situation(command):
            outcome = harness.run(command + ['127.0.0.1', 'no-such-service'])
            return outcome._replace(error=re.sub(rb'^socket\.', b'', outcome.error))
        outcome = self.assert_twins(situation, NAMES[0])
        self.assertEqual(outcome, harness.Outcome(b'', b'gaierror: [Errno -8] Servname not supported for ai_socktype', 1))

    def test_port_out_of_range(self):
        outcome = self.assert_twins(lambda command: harness.run(command + ['127.0.0.1', '65536']), NAMES[0])
        self.assertEqual(outcome, harness.Outcome(b'', b'OverflowError: connect(): port must be 0-65535.', 1))

    def test_answer_is_not_utf8(self):
        """The text is CPython's; the class is its base class, because rill has codes for asyncio's classes only."""
        for name in NAMES:
            for data in b'\xff', b'ab\xe2\x82', b'\xe2\x28\xa1':
                with self.subTest(name=name, data=data):
                    of_twin, _ = against(answer(data))(harness.twin(name))
                    of_ours, _ = against(answer(data))(harness.ours(name))
                    self.assertIn(b'UnicodeDecodeError: ', of_twin.error)
                    self.assertEqual(of_ours, of_twin._replace(
                        error=of_twin.error.replace(b'UnicodeDecodeError: ', b'ValueError: ')))


class Usage(harness.TwinCase):
    def test_wrong_arguments(self):
        for name in NAMES:
            for arguments in ['127.0.0.1'], ['127.0.0.1', '8888', 'more'], ['--help']:
                self.assert_usage(name, arguments, b'usage: %s [HOST PORT]' % name.encode())


if __name__ == '__main__':
    harness.main()
