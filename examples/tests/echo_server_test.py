# SPDX-License-Identifier: MIT
#
# echo_server beside its twin, with clients that are not rill's, and what Ctrl-C does.
import socket
import sys

import harness

NAME = 'echo_server'


def serving(command):
    return harness.Serving(command + ['127.0.0.1', '0'])


class ServerCase(harness.TwinCase):
    def serve(self, turns):
        """Serves each turn(server) and compares what the clients saw and the server printed."""
        def situation(command):
            with serving(command) as server:
                seen = [turn(server) for turn in turns]
            return server.outcome, seen
        outcome, seen = self.assert_twins(situation, NAME)
        self.assertEqual((outcome.error, outcome.status), (b'KeyboardInterrupt', 130))
        return outcome.stdout.decode(), seen

    @staticmethod
    def printed(*messages):
        return "Serving on ('127.0.0.1', PORT)\n" + ''.join(
            "Received %s from ('127.0.0.1', PORT)\nSend: %s\nClose the connection\n" % (message, message)
            for message in messages)


class SocketPeer(ServerCase):
    def test_messages(self):
        messages = [b'Hello World!', 'na\xefve \u20ac'.encode(), b'it\'s "\0"\r\n', b'x' * 100]
        stdout, seen = self.serve([lambda server, data=data: server.exchange(data) for data in messages])
        self.assertEqual(seen, messages)
        self.assertEqual(stdout, self.printed(*[repr(message.decode()) for message in messages]))

    def test_client_that_says_nothing(self):
        stdout, seen = self.serve([lambda server: server.exchange(b'')])
        self.assertEqual((stdout, seen), (self.printed("''"), [b'']))

    def test_second_client_is_served_while_the_first_waits(self):
        def turn(server):
            first = harness.connect(server.port)
            second = server.exchange(b'second')
            return second, harness.exchange(first, b'first')
        stdout, seen = self.serve([turn])
        self.assertEqual(seen, [(b'second', b'first')])
        self.assertEqual(stdout, self.printed("'second'", "'first'"))

    def test_twenty_clients_at_once(self):
        def turn(server):
            clients = [harness.connect(server.port) for _ in range(20)]
            return [harness.exchange(client, b'%d' % number) for number, client in enumerate(clients)]
        stdout, seen = self.serve([turn])
        self.assertEqual(seen, [[b'%d' % number for number in range(20)]])
        self.assertEqual(stdout, self.printed(*["'%d'" % number for number in range(20)]))


class SocatPeer(ServerCase):
    def test_message(self):
        socat = harness.tool('socat')

        def turn(server):
            return harness.run([socat, '-t', str(harness.PATIENCE_S), '-', 'TCP4:127.0.0.1:%d' % server.port],
                               b'Hello World!')
        stdout, seen = self.serve([turn])
        self.assertEqual(seen, [harness.Outcome(b'Hello World!', b'', 0)])
        self.assertEqual(stdout, self.printed("'Hello World!'"))


class CurlPeer(ServerCase):
    def test_request_comes_back(self):
        curl = harness.tool('curl')

        def turn(server):
            # What comes back is no HTTP status line, so curl takes all of it as a body of HTTP/0.9.
            return harness.run([curl, '--silent', '--show-error', '--noproxy', '*', '--http0.9', '--user-agent', 'c',
                                '--header', 'Host: h', 'http://127.0.0.1:%d/' % server.port])
        stdout, seen = self.serve([turn])
        request = b'GET / HTTP/1.1\r\nHost: h\r\nUser-Agent: c\r\nAccept: */*\r\n\r\n'
        self.assertEqual(seen, [harness.Outcome(request, b'', 0)])
        self.assertEqual(stdout, self.printed(repr(request.decode())))


class Interrupt(ServerCase):
    def test_idle(self):
        stdout, _ = self.serve([])
        self.assertEqual(stdout, self.printed())

    def test_while_a_client_is_connected(self):
        """From 3.12.1 on the server waits for its clients (R-667, R-669), and so does rill."""
        def situation(command):
            with serving(command) as server:
                idle = harness.connect(server.port)
                server.exchange(b'accepted after idle')
                server.interrupt()
                idle.close()
                server.wait()
            return server.outcome
        outcome = harness.without_ports_in(situation(harness.ours(NAME)))
        self.assertEqual(outcome, harness.Outcome(
            self.printed("'accepted after idle'", "''").encode(), b'KeyboardInterrupt', 130))
        if sys.version_info >= (3, 12, 1):
            self.assertEqual(harness.without_ports_in(situation(harness.twin(NAME))), outcome)


class Failures(ServerCase):
    def test_port_is_taken(self):
        with socket.create_server(('127.0.0.1', 0)) as holder:
            port = holder.getsockname()[1]
            outcome = self.assert_twins(lambda command: harness.with_errno_in_bind_error(
                harness.run(command + ['127.0.0.1', str(port)])), NAME)
        self.assertEqual(outcome, harness.Outcome(
            b'', b"OSError: [Errno 98] error while attempting to bind on address ('127.0.0.1', PORT): "
                 b'[errno 98] address already in use', 1))

    def test_client_resets(self):
        def turn(server):
            harness.reset(harness.connect(server.port))
            return server.exchange(b'next')

        def situation(command):
            with serving(command) as server:
                seen = turn(server)
            return server.outcome, seen
        outcome, seen = self.assert_twins(situation, NAME)
        self.assertEqual((seen, outcome.status, outcome.error), (b'next', 130, b'KeyboardInterrupt'))
        self.assertEqual(outcome.stdout.decode(), self.printed("'next'"))

    def test_message_is_not_utf8(self):
        """The client is dropped without an answer, the failure is reported, and the server serves on (R-653). CPython
        before 3.11.7 leaves such a connection open (3.11.2 does), so only later ones can be asked."""
        def situation(command):
            with serving(command) as server:
                seen = server.exchange(b'\xff'), server.exchange(b'next')
            return server.outcome, seen
        outcome, seen = situation(harness.ours(NAME))
        self.assertEqual(seen, (b'', b'next'))
        self.assertEqual(harness.without_ports_in(outcome), harness.Outcome(
            self.printed("'next'").encode(), b'KeyboardInterrupt', 130))
        if sys.version_info >= (3, 11, 7):
            of_twin, seen_by_twin = situation(harness.twin(NAME))
            self.assertEqual(seen_by_twin, seen)
            self.assertEqual(harness.without_ports_in(of_twin), harness.without_ports_in(outcome))


class Usage(harness.TwinCase):
    def test_wrong_arguments(self):
        for arguments in ['127.0.0.1'], ['127.0.0.1', '0', 'more'], ['--help']:
            self.assert_usage(NAME, arguments, b'usage: echo_server [HOST PORT]')


if __name__ == '__main__':
    harness.main()
