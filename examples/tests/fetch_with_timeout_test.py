# SPDX-License-Identifier: MIT
#
# fetch_with_timeout against Python's http.server and against servers that answer late, never or not at all.
import http.server
import re
import signal
import socket
import threading

import harness

NAME = 'fetch_with_timeout'
USAGE = b'usage: fetch_with_timeout SECONDS ATTEMPTS http://HOST[:PORT][/PATH]...'
PLENTY = '60'     # seconds: an attempt that is to succeed
SHORT = '0.5'     # seconds: an attempt that is to time out


def url(port, path='/'):
    return 'http://127.0.0.1:%d%s' % (port, path)


def fetch(*arguments):
    return harness.run(harness.ours(NAME) + list(arguments))


class Site(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        body = b'x' * int(self.path[1:])
        self.send_response(200)
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


class HttpServer(http.server.ThreadingHTTPServer):
    def __enter__(self):
        self.port = self.server_address[1]
        self.thread = threading.Thread(target=self.serve_forever)
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.shutdown()
        self.thread.join()
        self.server_close()


class Visits:
    """A listener that runs script(connection, visit) for each connection in turn; visits count from 1. It closes its
    side of all of them at the end."""

    def __init__(self, script, visits):
        self.ended = []     # what each connection of the client's brought up to its end
        self._script = script
        self._visits = visits
        self._listener = socket.create_server(('127.0.0.1', 0))
        self._listener.settimeout(harness.PATIENCE_S)
        self.port = self._listener.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)

    def _serve(self):
        for visit in range(1, self._visits + 1):
            connection, _ = self._listener.accept()
            with connection:
                connection.settimeout(harness.PATIENCE_S)
                self.ended.append(self._script(connection, visit))

    def __enter__(self):
        self._thread.start()
        return self

    def __exit__(self, *_):
        self._thread.join()
        self._listener.close()


def read_request(connection):
    received = b''
    while not received.endswith(b'\r\n\r\n'):
        received += connection.recv(1000)
    return received


REQUEST = b'GET /%s HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n'


class Success(harness.TwinCase):
    def test_several_at_once(self):
        with HttpServer(('127.0.0.1', 0), Site) as server:
            urls = [url(server.port, '/%d' % size) for size in (0, 1, 300000)]
            outcome = fetch(PLENTY, '1', *urls)
        self.assertEqual((outcome.error, outcome.status), (b'', 0))
        self.assertEqual(sorted(outcome.stdout.decode().splitlines()), sorted(
            '%s: HTTP/1.0 200 OK, %d bytes' % (text, size) for text, size in zip(urls, (0, 1, 300000))))

    def test_second_attempt(self):
        """The first connection ends without an answer."""
        def script(connection, visit):
            request = read_request(connection)
            if visit == 2:
                connection.sendall(b'HTTP/1.0 200 Fine\r\nA: b\r\n\r\nbody')
            return request
        with Visits(script, 2) as server:
            text = url(server.port, '/p?q')
            outcome = fetch(PLENTY, '3', text)
        self.assertEqual(server.ended, [REQUEST % b'p'] * 2)
        self.assertEqual(outcome, harness.Outcome(
            ('%s: attempt 1 of 3: IncompleteReadError: 0 bytes read on a total of undefined expected bytes\n'
             '%s: HTTP/1.0 200 Fine, 4 bytes\n' % (text, text)).encode(), b'', 0))


class Timeouts(harness.TwinCase):
    def test_server_that_never_answers(self):
        """Each attempt's connection is closed by its timeout."""
        def script(connection, _):
            return harness.read_to_end(connection)
        with Visits(script, 3) as server:
            text = url(server.port)
            outcome = fetch(SHORT, '3', text)
        self.assertEqual(server.ended, [REQUEST % b''] * 3)
        self.assertEqual(outcome, harness.Outcome(
            ''.join('%s: attempt %d of 3: TimeoutError\n' % (text, n) for n in (1, 2, 3)).encode(), b'', 1))

    def test_server_that_stops_in_the_middle(self):
        def script(connection, _):
            connection.sendall(b'HTTP/1.0 200 OK\r\n\r\nhalf of the')
            return harness.read_to_end(connection)
        with Visits(script, 1) as server:
            text = url(server.port)
            outcome = fetch(SHORT, '1', text)
        self.assertEqual(server.ended, [REQUEST % b''])
        self.assertEqual(outcome, harness.Outcome(
            ('%s: attempt 1 of 1: TimeoutError\n' % text).encode(), b'', 1))

    def test_one_that_fails_leaves_the_others_alone(self):
        answered = threading.Event()

        def script(connection, _):
            request = read_request(connection)
            answered.wait(harness.PATIENCE_S)
            connection.sendall(b'HTTP/1.0 200 OK\r\n\r\n')
            return request
        with harness.refusing_port() as port, Visits(script, 1) as server:
            process = harness.start(harness.ours(NAME) + [PLENTY, '1', url(port), url(server.port)])
            refused = process.stdout.readline()
            answered.set()
            outcome = harness.finish(process, refused)
        self.assertEqual(harness.without_ports(outcome.stdout).decode().splitlines(), [
            "%s: attempt 1 of 1: ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', PORT)" % url(port),
            '%s: HTTP/1.0 200 OK, 0 bytes' % url(server.port)])
        self.assertEqual((outcome.error, outcome.status), (b'', 1))


class Failures(harness.TwinCase):
    def test_interrupt(self):
        """Every fetch is cancelled, and its connection closed."""
        arrived = threading.Semaphore(0)

        def script(connection, _):
            request = read_request(connection)
            arrived.release()
            return request + harness.read_to_end(connection)
        with Visits(script, 1) as one, Visits(script, 1) as two:
            process = harness.start(harness.ours(NAME) + [PLENTY, '3', url(one.port), url(two.port)])
            for _ in range(2):
                self.assertTrue(arrived.acquire(timeout=harness.PATIENCE_S))
            process.send_signal(signal.SIGINT)
            outcome = harness.finish(process)
        self.assertEqual((one.ended, two.ended), ([REQUEST % b''], [REQUEST % b'']))
        self.assertEqual(outcome, harness.Outcome(b'', b'KeyboardInterrupt', 130))

    def test_interrupt_between_two_attempts(self):
        with harness.refusing_port() as port:
            process = harness.start(harness.ours(NAME) + [PLENTY, '1000', url(port)])
            line = process.stdout.readline()
            process.send_signal(signal.SIGINT)
            outcome = harness.finish(process, line)
        self.assertRegex(outcome.stdout, b'^' + re.escape(url(port).encode()) + b': attempt 1 of 1000: Conn')
        self.assertEqual((outcome.error, outcome.status), (b'KeyboardInterrupt', 130))

    def test_unknown_host(self):
        outcome = fetch(PLENTY, '1', 'http://no-such-host.invalid/')
        self.assertIn(b'http://no-such-host.invalid/: attempt 1 of 1: gaierror: [Errno -', outcome.stdout)
        self.assertEqual((outcome.error, outcome.status), (b'', 1))

    def test_wrong_arguments(self):
        for arguments in ([], ['1', '1'], ['x', '1', url(80)], ['0', '1', url(80)], ['1', '0', url(80)],
                          ['1', '1x', url(80)], ['1', '1', 'https://localhost/'], ['1', '1', url(80), 'ftp://x/']):
            with self.subTest(arguments=arguments):
                self.assertEqual(fetch(*arguments), harness.Outcome(b'', USAGE, 2))


if __name__ == '__main__':
    harness.main()
