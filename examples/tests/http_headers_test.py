# SPDX-License-Identifier: MIT
#
# http_headers beside its twin, against python3 -m http.server, nginx, and a server that answers with given bytes.
import os
import re
import socket
import sys
import tempfile

import harness
from harness import SocketPeer as Server

NAME = 'http_headers'


def without_date(outcome):
    return outcome._replace(stdout=re.sub(rb'(?m)^HTTP header> Date: .*$', b'HTTP header> Date: DATE', outcome.stdout))


def make_site(folder):
    with open(os.path.join(folder, 'page.html'), 'w') as page:
        page.write('<p>page</p>\n')


class RealServerCase(harness.TwinCase):
    def assert_pages(self, port, server):
        """What both print for a page that is there and for one that is not."""
        for path, status, length in ('/page.html?query#part', b'200 OK', b'12'), ('/none', b'404 ', rb'\d+'):
            url = 'http://127.0.0.1:%d%s' % (port, path)
            outcome = self.assert_twins(lambda command: without_date(harness.run(command + [url])), NAME)
            self.assert_success(outcome)
            self.assertRegex(outcome.stdout, rb'^HTTP header> HTTP/1\.\d ' + status)
            self.assertRegex(outcome.stdout, rb'(?mi)^HTTP header> server: ' + server)
            self.assertRegex(outcome.stdout, rb'(?mi)^HTTP header> content-length: ' + length + b'$')


class HttpServerPeer(RealServerCase):
    def test_pages(self):
        with tempfile.TemporaryDirectory() as folder:
            make_site(folder)
            server = harness.start([sys.executable, '-u', '-m', 'http.server', '0', '--bind', '127.0.0.1'], cwd=folder)
            try:
                port = re.search(rb' port (\d+) ', server.stdout.readline())
                self.assert_pages(int(port.group(1)), b'SimpleHTTP/')
            finally:
                server.terminate()
                server.communicate()


NGINX = '''
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 64; }}
http {{
    access_log off; root {folder};
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    server {{ listen 127.0.0.1:{port}; }}
}}
'''


class NginxPeer(RealServerCase):
    def test_pages(self):
        nginx = harness.tool('nginx', '/usr/sbin', '/usr/local/sbin')
        with tempfile.TemporaryDirectory() as folder, socket.create_server(('127.0.0.1', 0)) as listener:
            # nginx takes over a socket that already listens, as in its own upgrade: an ephemeral port without a race.
            port = listener.getsockname()[1]
            make_site(folder)
            os.chmod(folder, 0o755)    # started by root, its worker is somebody else
            with open(os.path.join(folder, 'nginx.conf'), 'w') as configuration:
                configuration.write(NGINX.format(folder=folder, port=port))
            server = harness.start([nginx, '-p', folder, '-c', os.path.join(folder, 'nginx.conf')],
                                   env=dict(harness.environment(), NGINX='%d;' % listener.fileno()),
                                   pass_fds=[listener.fileno()])
            try:
                self.assert_pages(port, b'nginx')
            finally:
                server.terminate()
                server.communicate()


def against(answer, url='http://127.0.0.1:{port}/'):
    """The situation: a server that takes the request, sends answer (bytes, or a list of pieces, or a function of the
    connection) and ends. Gives the outcome and the request."""
    def script(connection):
        request = b''
        while not request.endswith(b'\r\n\r\n'):
            data = connection.recv(65536)
            if not data:
                return request
            request += data
        if callable(answer):
            answer(connection)
        else:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for piece in [answer] if isinstance(answer, bytes) else answer:
                connection.sendall(piece)
        return request

    def situation(command):
        with Server(script) as server:
            outcome = harness.run(command + [url.format(port=server.port)])
        return outcome, server.result
    return situation


class SocketPeer(harness.TwinCase):
    def assert_headers(self, answer, *headers):
        with self.subTest(headers=[header[:40] for header in headers]):
            outcome, request = self.assert_twins(against(answer), NAME)
            self.assertEqual(request, b'HEAD / HTTP/1.0\r\nHost: 127.0.0.1\r\n\r\n')
            self.assertEqual((outcome.error, outcome.status), (b'', 0))
            self.assertEqual(outcome.stdout.decode(), ''.join('HTTP header> %s\n' % header for header in headers))

    def test_headers(self):
        self.assert_headers(b'HTTP/1.0 200 OK\r\nA: b\r\n\r\n', 'HTTP/1.0 200 OK', 'A: b')
        self.assert_headers(b'HTTP/1.0 200 OK\nA: b\n', 'HTTP/1.0 200 OK', 'A: b')

    def test_empty_lines_are_left_out_and_the_body_is_read_as_lines(self):
        self.assert_headers(b'\r\n\n \t\r\nA: b\r\n\r\n<p>\nlast', 'A: b', '<p>', 'last')

    def test_white_space_at_the_end_as_str_rstrip_sees_it(self):
        self.assert_headers(b' A: b \t\x0b\x0c\x1c\x1d\x1e\x1f\x85\xa0\r\n\xa0\r\n\x85\n', ' A: b')
        self.assert_headers(b'A: \x1b \x00\r\nB: \x1b\n', 'A: \x1b \0', 'B: \x1b')

    def test_every_byte_is_latin1(self):
        line = bytes(set(range(256)) - {10}) + b'.'
        self.assert_headers(line + b'\r\n', line.decode('latin1'))

    def test_byte_by_byte(self):
        answer = b'HTTP/1.0 200 OK\r\nA: b\r\n\r\n'
        self.assert_headers([bytes([byte]) for byte in answer], 'HTTP/1.0 200 OK', 'A: b')

    def test_no_answer(self):
        self.assert_headers(b'')

    def test_longest_line(self):
        self.assert_headers(b'A' * 65535 + b'\r\n', 'A' * 65535)


class Urls(harness.TwinCase):
    def assert_request(self, url, path, host):
        with self.subTest(url=url):
            outcome, request = self.assert_twins(against(b'A: b\r\n', url), NAME)
            self.assertEqual(request.decode(), 'HEAD %s HTTP/1.0\r\nHost: %s\r\n\r\n' % (path, host))
            self.assertEqual(outcome, harness.Outcome(b'HTTP header> A: b\n', b'', 0))

    def test_requests(self):
        self.assert_request('http://127.0.0.1:{port}', '/', '127.0.0.1')
        self.assert_request('http://127.0.0.1:{port}?a=b', '/', '127.0.0.1')
        self.assert_request('HTTP://LocalHost:0{port}/A/b;c?d#e', '/A/b;c', 'localhost')
        self.assert_request('http://user:p:w@127.0.0.1:{port}/a@b:1/', '/a@b:1/', '127.0.0.1')
        self.assert_request('http://127.0.0.1:{port}/%7Ea//..#x?y', '/%7Ea//..', '127.0.0.1')
        self.assert_request('http://127.0.0.1:{port}/' + 'long/' * 4000, '/' + 'long/' * 4000, '127.0.0.1')

    def test_ipv6(self):
        try:
            server = socket.create_server(('::1', 0), family=socket.AF_INET6)
        except OSError:
            self.skipTest('no IPv6 loopback')
        port = server.getsockname()[1]
        server.close()
        with socket.socket(socket.AF_INET6) as held:    # bound, not listening: refuses
            held.bind(('::1', 0))
            port = held.getsockname()[1]
            outcome = self.assert_twins(lambda command: harness.run(command + ['http://[::1]:%d/' % port]), NAME)
            self.assertEqual(outcome.error, b"ConnectionRefusedError: [Errno 111] Connect call failed "
                                            b"('::1', %d, 0, 0)" % port)


class Failures(harness.TwinCase):
    def test_refused(self):
        with harness.refusing_port() as port:
            outcome = self.assert_twins(lambda command: harness.run(command + ['http://127.0.0.1:%d/' % port]), NAME)
        self.assertEqual(outcome, harness.Outcome(
            b'', b"ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', PORT)", 1))

    def test_reset_between_lines(self):
        def first_line_then_reset(connection):
            connection.sendall(b'A: b\r\n')
            # The client's window shows nothing of its reading: what it printed before the reset may differ.
            harness.reset(connection)
        for command in harness.ours(NAME), harness.twin(NAME):
            outcome, _ = against(first_line_then_reset)(command)
            self.assertIn(outcome.stdout, (b'', b'HTTP header> A: b\n'))
            self.assertEqual((outcome.error, outcome.status),
                             (b'ConnectionResetError: [Errno 104] Connection reset by peer', 1))

    def test_line_over_the_limit(self):
        outcome, _ = self.assert_twins(against(b'A: b\r\n' + b'A' * 65537 + b'\r\nB: c\r\n'), NAME)
        self.assertEqual(outcome.stdout, b'HTTP header> A: b\n')
        self.assertEqual((outcome.error.split(b':')[0], outcome.status), (b'ValueError', 1))

    def test_https_comes_later(self):
        outcome = harness.run(harness.ours(NAME) + ['https://127.0.0.1:1/'])
        self.assertEqual(outcome, harness.Outcome(
            b'', b'NotImplementedError: https: rill has no TLS yet, it comes with a later version', 1))


class Usage(harness.TwinCase):
    def test_wrong_arguments(self):
        for arguments in [], ['http://a/', 'http://b/'], ['--help']:
            self.assert_usage(NAME, arguments, b'usage: http_headers http://HOST[:PORT][/PATH]')

    def test_urls_that_are_none(self):
        for url in ('', 'example.com/path', 'ftp://example.com/', 'http:/example.com', 'http://', 'http:///path',
                    'http://:80/', 'http://user@/', 'http://h:port/', 'http://h:65536/', 'http://h:-1/', 'http://h:1:2/',
                    'http://h:99999999999999999999/', 'http://[::1/', 'http://::1]/', 'http://h/a b',
                    'http://h/\r\nX: y', 'http://h/\x7f', 'http://h\xe9/', ' http://h/'):
            self.assert_usage(NAME, [url], b'usage: http_headers http://HOST[:PORT][/PATH]')


if __name__ == '__main__':
    harness.main()
