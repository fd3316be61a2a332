# SPDX-License-Identifier: MIT
#
# callback_server with curl, Python's http.client and bare sockets: keep-alive, pipelining, a client that does not read.
import http.client
import socket

import harness


def serving(*arguments):
    return harness.Serving(harness.ours('callback_server') + ['127.0.0.1', '0', *arguments])


def request(path):
    return b'GET %s HTTP/1.1\r\nHost: h\r\n\r\n' % path


def response(body, status=b'200 OK'):
    return b'HTTP/1.1 %s\r\nContent-Type: text/plain\r\nContent-Length: %d\r\n\r\n%s\n' % (
        status, len(body) + 1, body)


class CallbackCase(harness.TwinCase):
    def assert_ended(self, outcome):
        self.assertEqual((outcome.error, outcome.status), (b'KeyboardInterrupt', 130))
        self.assertEqual(harness.without_ports(outcome.stdout), b"Serving on ('127.0.0.1', PORT)\n")


class Requests(CallbackCase):
    def test_curl(self):
        curl = harness.tool('curl')
        with serving() as server:
            base = 'http://127.0.0.1:%d' % server.port
            outcome = harness.run([curl, '--silent', '--show-error', '--noproxy', '*', base + '/a', base + '/b?c=d'])
            self.assertEqual(outcome, harness.Outcome(b'/a\n/b?c=d\n', b'', 0))
        self.assert_ended(server.outcome)

    def test_one_connection_for_many_requests(self):
        with serving() as server:
            client = http.client.HTTPConnection('127.0.0.1', server.port, timeout=harness.PATIENCE_S)
            for path in '/', '/2', '/3' * 1000:
                client.request('GET', path)
                reply = client.getresponse()
                self.assertEqual((reply.status, reply.reason, reply.read()), (200, 'OK', path.encode() + b'\n'))
            client.close()
        self.assert_ended(server.outcome)

    def test_byte_by_byte_and_pipelined(self):
        both = request(b'/one') + request(b'/two')
        want = response(b'/one') + response(b'/two')
        with serving() as server:
            self.assertEqual(server.exchange(both), want)
            with harness.connect(server.port) as client:
                client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                for byte in both:
                    client.sendall(bytes([byte]))
                client.shutdown(socket.SHUT_WR)
                self.assertEqual(harness.read_to_end(client), want)
        self.assert_ended(server.outcome)

    def test_client_that_does_not_read(self):
        """It is not read from either: its sending stops; when it reads, every answer comes, in order."""
        with serving() as server:
            with socket.socket() as client:
                client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
                client.connect(('127.0.0.1', server.port))
                sent = self.send_until_it_stops(client, 1 << 26)
                self.assertLess(len(sent), 1 << 26)
                # A last request that was cut is finished in the answers' order.
                size = len(request(self.path(0)))
                whole, cut = divmod(len(sent), size)
                rest = request(self.path(whole))[cut:] if cut else b''
                count = whole + (1 if cut else 0)
                client.settimeout(harness.PATIENCE_S)
                answers = client.makefile('rb')
                for number in range(count):
                    if number == whole // 2 and rest:
                        client.sendall(rest)
                    want = response(self.path(number))
                    self.assertEqual(answers.read(len(want)), want)
                answers.close()
        self.assert_ended(server.outcome)

    @staticmethod
    def path(number):
        return b'/%07d%s' % (number, b'x' * 1000)

    def send_until_it_stops(self, client, limit):
        """What went before the connection took nothing for a tenth of a second: the first bytes of numbered
        requests."""
        client.settimeout(0.1)
        sent = bytearray()
        number = 0
        try:
            while len(sent) < limit:
                data = request(self.path(number))
                while data:
                    count = client.send(data)
                    sent += data[:count]
                    data = data[count:]
                number += 1
        except socket.timeout:
            pass
        return sent

    def test_idle_client_is_let_go(self):
        with serving('0.2') as server:
            with harness.connect(server.port) as client:
                client.sendall(request(b'/'))
                self.assertEqual(harness.read_to_end(client), response(b'/'))
        self.assert_ended(server.outcome)


class Failures(CallbackCase):
    def test_bad_requests(self):
        with serving() as server:
            for data, status in ((b'POST / HTTP/1.1\r\n\r\n', b'405 Method Not Allowed'),
                                 (b'G\r\n\r\n', b'405 Method Not Allowed'),
                                 (b'GET /\r\nHost: a b\r\n\r\n', b'400 Bad Request'),
                                 (b'GET \r\n\r\n', b'400 Bad Request'),
                                 (b'G' * 4096, b'431 Request Header Fields Too Large')):
                with self.subTest(data=data), harness.connect(server.port) as client:
                    client.sendall(data)
                    self.assertEqual(harness.read_to_end(client), response(status, status))
            self.assertEqual(server.exchange(request(b'/next')), response(b'/next'))
        self.assert_ended(server.outcome)

    def test_client_resets(self):
        with serving() as server:
            harness.reset(harness.connect(server.port))
            self.assertEqual(server.exchange(request(b'/next')), response(b'/next'))
        self.assert_ended(server.outcome)

    def test_interrupt_while_a_client_is_connected(self):
        with serving() as server:
            with harness.connect(server.port) as client:
                client.sendall(request(b'/'))
                want = response(b'/')
                self.assertEqual(client.recv(len(want), socket.MSG_WAITALL), want)
                server.interrupt()
                server.wait()
                self.assertEqual(client.recv(1), b'')
        self.assert_ended(server.outcome)

    def test_wrong_arguments(self):
        for arguments in ['127.0.0.1'], ['127.0.0.1', '0', 'x'], ['127.0.0.1', '0', '0'], ['a', 'b', '1', 'd']:
            self.assertEqual(harness.run(harness.ours('callback_server') + arguments), harness.Outcome(
                b'', b'usage: callback_server [HOST PORT [IDLE_SECONDS]]', 2))


if __name__ == '__main__':
    harness.main()
