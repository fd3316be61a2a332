# SPDX-License-Identifier: MIT
#
# http_headers beside its twin, against python3 -m http.server, nginx, and a server that answers with given bytes, in
# clear and over TLS.
import contextlib
import os
import re
import socket
import ssl
import sys
import tempfile

import harness
from harness import SocketPeer as Server

NAME = 'http_headers'
TRUSTING = harness.environment(SSL_CERT_FILE=harness.pem('ca'))
VERIFY_FAILED = b'ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: '


def without_date(outcome):
    return outcome._replace(stdout=re.sub(rb'(?m)^HTTP header> Date: .*$', b'HTTP header> Date: DATE', outcome.stdout))


def make_site(folder):
    with open(os.path.join(folder, 'page.html'), 'w') as page:
        page.write('<p>page</p>\n')


class RealServerCase(harness.TwinCase):
    def assert_pages(self, port, server, url='http://127.0.0.1:%d%s', **more):
        """What both print for a page that is there and for one that is not."""
        for path, status, length in ('/page.html?query#part', b'200 OK', b'12'), ('/none', b'404 ', rb'\d+'):
            arguments = [url % (port, path)]
            outcome = self.assert_twins(lambda command: without_date(harness.run(command + arguments, **more)), NAME)
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
    server {{ listen 127.0.0.1:{port}{listen}; {settings} }}
}}
'''
NGINX_TLS = dict(listen=' ssl', settings='ssl_certificate {pem}; ssl_certificate_key {pem};')


@contextlib.contextmanager
def nginx(listen='', settings=''):
    """The port of an nginx that serves a page."""
    program = harness.tool('nginx', '/usr/sbin', '/usr/local/sbin')
    with tempfile.TemporaryDirectory() as folder, socket.create_server(('127.0.0.1', 0)) as listener:
        # nginx takes over a socket that already listens, as in its own upgrade: an ephemeral port without a race.
        port = listener.getsockname()[1]
        make_site(folder)
        os.chmod(folder, 0o755)    # started by root, its worker is somebody else
        with open(os.path.join(folder, 'nginx.conf'), 'w') as configuration:
            configuration.write(NGINX.format(folder=folder, port=port, listen=listen,
                                             settings=settings.format(pem=harness.pem('server'))))
        server = harness.start([program, '-p', folder, '-c', os.path.join(folder, 'nginx.conf')],
                               env=harness.environment(NGINX='%d;' % listener.fileno()),
                               pass_fds=[listener.fileno()])
        try:
            yield port
        finally:
            server.terminate()
            server.communicate()


class NginxPeer(RealServerCase):
    def test_pages(self):
        with nginx() as port:
            self.assert_pages(port, b'nginx')


class NginxTlsPeer(RealServerCase):
    """The server's certificate is of a CA that no system trusts, for localhost and 127.0.0.1."""
    def test_pages_with_the_ca_in_ssl_cert_file(self):
        with nginx(**NGINX_TLS) as port:
            for host in 'localhost', '127.0.0.1':
                self.assert_pages(port, b'nginx', 'https://' + host + ':%d%s', env=TRUSTING)

    def test_without_the_ca_it_is_refused(self):
        with nginx(**NGINX_TLS) as port:
            for env in harness.environment(), harness.environment(SSL_CERT_FILE=harness.pem('client')):
                outcome = self.assert_twins(
                    lambda command: harness.run(command + ['https://localhost:%d/' % port], env=env), NAME)
                self.assertEqual(outcome, harness.Outcome(
                    b'', VERIFY_FAILED + b'unable to get local issuer certificate', 1))

    def test_http_at_its_port_is_told_apart(self):
        with nginx(**NGINX_TLS) as port:
            outcome = self.assert_twins(lambda command: without_date(harness.run(
                command + ['http://localhost:%d/' % port], env=TRUSTING)), NAME)
        self.assertIn(b'400 Bad Request', outcome.stdout)


def against(answer, url='http://127.0.0.1:{port}/'):
    """The situation: a server that takes the request, sends answer (bytes, or a list of pieces, or a function of the
    connection) and ends. Gives the outcome and the request."""
    def script(connection):
        request = harness.read_request(connection)
        if not request.endswith(b'\r\n\r\n'):
            return request
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


class Https(harness.TwinCase):
    """Against Python's ssl module."""
    def assert_refused(self, certificate, host, text, alert):
        with self.subTest(certificate=certificate, host=host):
            def situation(command):
                seen = []
                script = harness.over_tls(lambda connection: connection.recv(1), certificate, seen)
                with Server(script) as server:
                    outcome = harness.run(command + ['https://%s:%d/' % (host, server.port)], env=TRUSTING)
                reasons.append(seen)
                return outcome
            reasons = []
            outcome = self.assert_twins(situation, NAME)
            self.assertEqual(outcome, harness.Outcome(b'', VERIFY_FAILED + text, 1))
            self.assertEqual(reasons[0], [alert])    # asyncio sends no alert

    def test_certificates(self):
        self.assert_refused('expired', 'localhost', b'certificate has expired', 'SSLV3_ALERT_CERTIFICATE_EXPIRED')
        self.assert_refused('self-signed', 'localhost', b'self-signed certificate', 'TLSV1_ALERT_UNKNOWN_CA')
        self.assert_refused('other-name', 'localhost',
                            b"Hostname mismatch, certificate is not valid for 'localhost'.",
                            'SSLV3_ALERT_BAD_CERTIFICATE')
        self.assert_refused('other-name', '127.0.0.1',
                            b"IP address mismatch, certificate is not valid for '127.0.0.1'.",
                            'SSLV3_ALERT_BAD_CERTIFICATE')

    def test_versions_and_sni(self):
        """A name goes with the hello, an address does not."""
        for version in ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3:
            for host, name in ('localhost', 'localhost'), ('127.0.0.1', None):
                with self.subTest(version=version, host=host):
                    def situation(command):
                        names = []

                        def script(connection):
                            request = harness.read_request(connection)
                            connection.sendall(b'HTTP/1.0 200 OK\r\nA: b\r\n\r\n')
                            return connection.version(), request
                        over_tls = harness.over_tls(
                            script, minimum_version=version, maximum_version=version,
                            sni_callback=lambda connection, name, context: names.append(name))
                        with Server(over_tls) as server:
                            outcome = harness.run(command + ['https://%s:%d/' % (host, server.port)], env=TRUSTING)
                        return outcome, server.result, names
                    outcome, (spoken, request), names = self.assert_twins(situation, NAME)
                    self.assertEqual(outcome, harness.Outcome(
                        b'HTTP header> HTTP/1.0 200 OK\nHTTP header> A: b\n', b'', 0))
                    self.assertEqual(spoken, version.name.replace('_', '.'))
                    self.assertEqual(request.decode(), 'HEAD / HTTP/1.0\r\nHost: %s\r\n\r\n' % host)
                    self.assertEqual(names, [name])

    def test_server_speaks_no_tls(self):
        def situation(command):
            # It waits for the client's end, so that nothing is reset.
            def script(connection):
                connection.recv(1)
                connection.sendall(b'HTTP/1.0 400 Bad Request\r\n\r\n')
                harness.read_to_end(connection)
            with Server(script) as server:
                return harness.run(command + ['https://localhost:%d/' % server.port], env=TRUSTING)
        outcome = self.assert_twins(situation, NAME)
        self.assertEqual((outcome.stdout, outcome.status), (b'', 1))
        self.assertRegex(outcome.error, rb'^ssl\.SSLError: \[SSL: [A-Z_]+\] ')

    def test_server_leaves_during_the_handshake(self):
        def situation(command):
            with Server(lambda connection: connection.recv(65536)) as server:
                return harness.run(command + ['https://localhost:%d/' % server.port], env=TRUSTING)
        outcome = self.assert_twins(situation, NAME)
        self.assertEqual(outcome, harness.Outcome(b'', b'ConnectionResetError', 1))


class Usage(harness.TwinCase):
    def test_wrong_arguments(self):
        for arguments in [], ['http://a/', 'http://b/'], ['--help']:
            self.assert_usage(NAME, arguments, b'usage: http_headers http[s]://HOST[:PORT][/PATH]')

    def test_urls_that_are_none(self):
        for url in ('', 'example.com/path', 'ftp://example.com/', 'http:/example.com', 'http://', 'http:///path',
                    'https://', 'https:///path',
                    'http://:80/', 'http://user@/', 'http://h:port/', 'http://h:65536/', 'http://h:-1/', 'http://h:1:2/',
                    'http://h:99999999999999999999/', 'http://[::1/', 'http://::1]/', 'http://h/a b',
                    'http://h/\r\nX: y', 'http://h/\x7f', 'http://h\xe9/', ' http://h/'):
            self.assert_usage(NAME, [url], b'usage: http_headers http[s]://HOST[:PORT][/PATH]')


if __name__ == '__main__':
    harness.main()
