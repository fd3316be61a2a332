# SPDX-License-Identifier: MIT
#
# The four low-level programs beside their twins: echo by protocol against peers that are not rill's, and the two that
# wait on a socketpair.
import queue
import signal
import sys

import harness
from harness import SocketPeer as Server

CLIENT = 'echo_client_protocol'
SERVER = 'echo_server_protocol'
SENT = b"Data sent: 'Hello World!'\n"
LOST = b'The server closed the connection\n'


def against(script):
    """The situation: one connection to a server that does script(connection) and tells what it saw."""
    def situation(command):
        with Server(script) as server:
            outcome = harness.run(command + ['127.0.0.1', str(server.port)])
        return outcome, server.result
    return situation


def answer(data):
    def script(connection):
        received = connection.recv(100)
        connection.sendall(data)
        return received
    return script


class EchoClient(harness.TwinCase):
    def test_answers(self):
        for data, shown in ((b'Hello World!', "'Hello World!'"), ('\u20ac \0'.encode(), "'\u20ac \\x00'")):
            with self.subTest(data=data):
                outcome, received = self.assert_twins(against(answer(data)), CLIENT)
                self.assertEqual(received, b'Hello World!')
                self.assertEqual(outcome, harness.Outcome(
                    SENT + b'Data received: ' + shown.encode() + b'\n' + LOST, b'', 0))

    def test_server_ends_without_an_answer(self):
        outcome, _ = self.assert_twins(against(lambda connection: connection.recv(100)), CLIENT)
        self.assertEqual(outcome, harness.Outcome(SENT + LOST, b'', 0))

    def test_reset(self):
        """The program does not look at connection_lost's error."""
        def script(connection):
            connection.recv(100)
            harness.reset(connection)
        outcome, _ = self.assert_twins(against(script), CLIENT)
        self.assertEqual(outcome, harness.Outcome(SENT + LOST, b'', 0))

    def test_answer_is_not_utf8(self):
        """The protocol raises: reported, and the connection is aborted. Python's report ends in a traceback, so that
        the two have only the words in common."""
        def situation(command):
            with Server(answer(b'\xff')) as server:
                process = harness.start(command + ['127.0.0.1', str(server.port)])
                stdout, stderr = process.communicate(timeout=harness.PATIENCE_S)
            self.assertIn(b'Fatal error: protocol.data_received() call failed.', stderr)
            self.assertIn(b"'utf-8' codec can't decode byte 0xff in position 0: invalid start byte", stderr)
            return harness.Outcome(stdout, b'', process.returncode)
        outcome = self.assert_twins(situation, CLIENT)
        self.assertEqual(outcome, harness.Outcome(SENT + LOST, b'', 0))

    def test_refused(self):
        with harness.refusing_port() as port:
            outcome = self.assert_twins(lambda command: harness.run(command + ['127.0.0.1', str(port)]), CLIENT)
        self.assertEqual(outcome, harness.Outcome(
            b'', b"ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', PORT)", 1))

    def test_interrupt(self):
        """Ctrl-C closes the transport, and connection_lost is still called. Before 3.11 Python's KeyboardInterrupt
        could come between any two lines."""
        def situation(command):
            started = queue.Queue()

            def script(connection):
                received = connection.recv(100)
                process = started.get()
                process.send_signal(signal.SIGINT)
                return received + harness.read_to_end(connection)
            with Server(script) as server:
                process = harness.start(command + ['127.0.0.1', str(server.port)])
                started.put(process)
                outcome = harness.finish(process)
            return outcome, server.result
        outcome, received = situation(harness.ours(CLIENT))
        self.assertEqual(received, b'Hello World!')
        self.assertEqual(outcome, harness.Outcome(SENT + LOST, b'KeyboardInterrupt', 130))
        if sys.version_info >= (3, 11):
            self.assertEqual(situation(harness.twin(CLIENT)), (outcome, received))

    def test_wrong_arguments(self):
        for arguments in ['127.0.0.1'], ['127.0.0.1', '8888', 'more'], ['--help']:
            self.assert_usage(CLIENT, arguments, b'usage: echo_client_protocol [HOST PORT]')


def serving(command):
    return harness.Serving(command + ['127.0.0.1', '0'])


class EchoServer(harness.TwinCase):
    def serve(self, *turns):
        def situation(command):
            with serving(command) as server:
                seen = [turn(server) for turn in turns]
            return server.outcome, seen
        outcome, seen = self.assert_twins(situation, SERVER)
        self.assertEqual((outcome.error, outcome.status), (b'KeyboardInterrupt', 130))
        return outcome.stdout.decode(), seen

    @staticmethod
    def printed(*messages):
        return "Serving on ('127.0.0.1', PORT)\n" + ''.join(
            "Connection from ('127.0.0.1', PORT)\n" + (
                '' if message is None else
                'Data received: %s\nSend: %s\nClose the client socket\n' % (message, message))
            for message in messages)

    def test_messages(self):
        messages = [b'Hello World!', 'na\xefve \u20ac'.encode(), b'it\'s "\0"\r\n']
        stdout, seen = self.serve(*[lambda server, data=data: server.exchange(data) for data in messages])
        self.assertEqual(seen, messages)
        self.assertEqual(stdout, self.printed(*[repr(message.decode()) for message in messages]))

    def test_client_that_says_nothing(self):
        stdout, seen = self.serve(lambda server: server.exchange(b''))
        self.assertEqual((stdout, seen), (self.printed(None), [b'']))

    def test_idle_client_makes_nobody_wait(self):
        def turn(server):
            with harness.connect(server.port):
                return server.exchange(b'next')
        stdout, seen = self.serve(turn)
        self.assertEqual((stdout, seen), (self.printed(None, "'next'"), [b'next']))

    def test_socat(self):
        socat = harness.tool('socat')

        def turn(server):
            return harness.run([socat, '-t', str(harness.PATIENCE_S), '-', 'TCP4:127.0.0.1:%d' % server.port],
                               b'Hello World!')
        stdout, seen = self.serve(turn)
        self.assertEqual(seen, [harness.Outcome(b'Hello World!', b'', 0)])
        self.assertEqual(stdout, self.printed("'Hello World!'"))

    def test_wrong_arguments(self):
        for arguments in ['127.0.0.1'], ['--help']:
            self.assert_usage(SERVER, arguments, b'usage: echo_server_protocol [HOST PORT]')


class Socketpair(harness.TwinCase):
    def test_output(self):
        for name in 'wait_for_data_protocol', 'watch_descriptor':
            with self.subTest(name=name):
                outcome = self.assert_twins(harness.run, name)
                self.assertEqual(outcome, harness.Outcome(b'Received: abc\n', b'', 0))

    def test_wrong_arguments(self):
        for name in 'wait_for_data_protocol', 'watch_descriptor':
            self.assert_usage(name, ['more'], b'usage: ' + name.encode())


if __name__ == '__main__':
    harness.main()
