# SPDX-License-Identifier: MIT
#
# Every example under Valgrind, on its good way, on a failure and after Ctrl-C: no bad access, no leak of memory
# or descriptors. A build with sanitizers does not run this: it sees bad accesses and leaks in all the other tests.
import contextlib
import os
import re
import signal
import tempfile

import harness


class ValgrindCase(harness.TwinCase):
    def setUp(self):
        valgrind = harness.tool('valgrind')
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.valgrind = [valgrind, '--leak-check=full', '--show-leak-kinds=all', '--track-fds=yes',
                         '--errors-for-leak-kinds=definite,indirect,possible', '--error-exitcode=99',
                         '--log-file=%s/%%p' % self.folder]

    def assert_clean(self, pid):
        """What a leaked descriptor leaves in Valgrind's log changes no exit status, so the log is read."""
        with open(os.path.join(self.folder, str(pid)), encoding='utf-8', errors='replace') as log:
            text = log.read()
        # A descriptor that the program opened stands with the call that did; the log itself is inherited.
        descriptors = text[text.index('FILE DESCRIPTORS:'):text.index('HEAP SUMMARY:')]
        self.assertNotIn(' at 0x', descriptors)
        self.assertIn('ERROR SUMMARY: 0 errors', text)

    def under_valgrind(self, name, arguments, stdout, error, status):
        process = harness.start(self.valgrind + harness.ours(name) + arguments)
        outcome = harness.finish(process)
        self.assert_clean(process.pid)
        self.assertEqual(harness.without_ports_in(outcome), harness.Outcome(stdout, error, status))

    def served(self, name, *more):
        return harness.Serving(self.valgrind + harness.ours(name) + ['127.0.0.1', '0', *more])

    def assert_server_clean(self, server, error=b'KeyboardInterrupt', status=130):
        self.assert_clean(server.process.pid)
        self.assertEqual((server.outcome.error, server.outcome.status), (error, status))


class Valgrind(ValgrindCase):
    def test_wait_for_data(self):
        self.under_valgrind('wait_for_data', [], b'Received: abc\n', b'', 0)

    def test_refused(self):
        refused = b"ConnectionRefusedError: [Errno 111] Connect call failed ('127.0.0.1', PORT)"
        with harness.refusing_port() as port:
            for name in 'echo_client', 'echo_client_no_wait':
                self.under_valgrind(name, ['127.0.0.1', str(port)], b'', refused, 1)
            self.under_valgrind('http_headers', ['http://localhost:%d/' % port], b'', refused, 1)

    def test_headers(self):
        def script(connection):
            connection.recv(65536)
            connection.sendall(b'A: b\r\n')
        with harness.SocketPeer(script) as server:
            self.under_valgrind('http_headers', ['http://localhost:%d/' % server.port], b'HTTP header> A: b\n', b'', 0)

    def test_socketpairs_below_streams(self):
        for name in 'wait_for_data_protocol', 'watch_descriptor':
            self.under_valgrind(name, [], b'Received: abc\n', b'', 0)

    def test_echo_client_protocol(self):
        def script(connection):
            connection.sendall(connection.recv(100))
        with harness.SocketPeer(script) as server:
            self.under_valgrind('echo_client_protocol', ['127.0.0.1', str(server.port)],
                                b"Data sent: 'Hello World!'\nData received: 'Hello World!'\n"
                                b'The server closed the connection\n', b'', 0)

    def test_fetch(self):
        """One URL is fetched in the second attempt, one is refused."""
        answers = [b'', b'HTTP/1.0 200 OK\r\n\r\nbody']

        def script(connection):
            connection.recv(65536)
            connection.sendall(answers.pop(0))
        with harness.refusing_port() as refusing, harness.SocketPeer(script, 2) as server:
            process = harness.start(self.valgrind + harness.ours('fetch_with_timeout') + [
                '60', '2', 'http://127.0.0.1:%d/' % refusing, 'http://127.0.0.1:%d/' % server.port])
            outcome = harness.finish(process)
        self.assert_clean(process.pid)
        self.assertEqual((outcome.error, outcome.status), (b'', 1))
        self.assertIn(b': HTTP/1.0 200 OK, 4 bytes\n', outcome.stdout)

    def test_servers_with_one_client_gone_and_one_there(self):
        for name, data, want, end in (
                ('echo_server_protocol', b'hello', b'hello', (b'KeyboardInterrupt', 130)),
                ('chat_server', b'ada\nhello\n', b'* your name?\n', (b'KeyboardInterrupt', 130)),
                ('callback_server', b'GET / HTTP/1.1\r\n\r\n', b'HTTP/1.1 200 OK\r\n', (b'KeyboardInterrupt', 130)),
                ('embedded_server', b'?\n', b'tick ', (b'', 0)),
                ('multicore_server', b'hello\n', b': hello\n', (b'', 0))):
            with self.subTest(name=name):
                with self.served(name) as server:
                    self.assertIn(want, server.exchange(data))
                    harness.reset(harness.connect(server.port))
                    with harness.connect(server.port) as client:
                        client.sendall(data)
                        self.assertNotEqual(client.recv(1), b'')
                        if name != 'echo_server_protocol':  # which waits for its clients
                            server.interrupt()
                            server.wait()
                self.assert_server_clean(server, *end)

    def test_proxy(self):
        """Bytes there and back; then Ctrl-C between two halves of a connection."""
        def whole(connection):
            connection.sendall(harness.read_to_end(connection))

        def half(connection):
            connection.sendall(connection.recv(1))
            with contextlib.suppress(ConnectionResetError):
                harness.read_to_end(connection)
        scripts = [whole, half]
        target = harness.SocketPeer(lambda connection: scripts.pop(0)(connection), 2)
        with self.served('tcp_proxy', '127.0.0.1', str(target.port)) as server:
            with target:
                self.assertEqual(server.exchange(b'x' * 300000), b'x' * 300000)
                with harness.connect(server.port) as client:
                    client.sendall(b'x')
                    self.assertEqual(client.recv(1), b'x')
                    server.interrupt()
                    server.wait()
        self.assert_server_clean(server)

    def test_unix_pair(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, 's')
            with harness.Serving(self.valgrind + harness.ours('unix_response') + [path]) as server:
                self.under_valgrind('unix_request', [path, 'one', 'two words'],
                                    b'0 lines, 1 words, 3 bytes\n0 lines, 2 words, 9 bytes\n', b'', 0)
            self.assert_server_clean(server)
            self.under_valgrind('unix_request', [path, 'one'], b'',
                                b'FileNotFoundError: [Errno 2] No such file or directory', 1)

    def test_echo_until_interrupted(self):
        server = harness.start(self.valgrind + harness.ours('echo_server') + ['127.0.0.1', '0'])
        self.addCleanup(server.communicate)
        self.addCleanup(server.kill)
        line = server.stdout.readline()
        port = re.search(rb', (\d+)\)$', line.rstrip()).group(1).decode()
        for name in 'echo_client', 'echo_client_no_wait':
            self.under_valgrind(name, ['127.0.0.1', port],
                                b"Send: 'Hello World!'\nReceived: 'Hello World!'\nClose the connection\n", b'', 0)
        server.send_signal(signal.SIGINT)
        outcome = harness.finish(server, line)
        self.assert_clean(server.pid)
        self.assertEqual((outcome.error, outcome.status), (b'KeyboardInterrupt', 130))
        self.assertEqual(outcome.stdout.count(b"Received 'Hello World!' from"), 2)


class ValgrindTls(ValgrindCase):
    def assert_tls_pair(self, server_name, client_name, stdout):
        """The client trusts the server, then distrusts it; then something comes that is no TLS."""
        pem = harness.pem('server')
        with harness.Serving(self.valgrind + harness.ours(server_name) + [pem, pem, '127.0.0.1', '0']) as server:
            self.under_valgrind(client_name, [harness.pem('ca'), 'localhost', str(server.port)], stdout, b'', 0)
            process = harness.start(self.valgrind + harness.ours(client_name) + [
                harness.pem('client'), 'localhost', str(server.port)])
            refused = harness.finish(process)
            self.assert_clean(process.pid)
            self.assertEqual((refused.error.split(b':')[0], refused.status), (b'ssl.SSLCertVerificationError', 1))
            server.exchange(b'STARTTLS\r\nx\r\n')
        self.assert_server_clean(server)

    def test_tls_pairs(self):
        self.assert_tls_pair('tls_echo_server', 'tls_echo_client',
                             b"Send: b'Hello World!\\n'\nReceived: b'Hello World!\\n'\nClose the connection\n")
        self.assert_tls_pair('starttls_server', 'starttls_client', b"""S: b'220 localhost ESMTP'
C: EHLO localhost
S: b'250-localhost'
S: b'250 STARTTLS'
C: STARTTLS
S: b'220 Ready to start TLS'
Over TLSv1.3
C: EHLO localhost
S: b'250 localhost'
C: VRFY ann
S: b'250 <ann@localhost>'
C: QUIT
S: b'221 Bye'
""")

    def test_https_headers(self):
        def script(connection):
            harness.read_request(connection)
            connection.sendall(b'A: b\r\n')
        with harness.SocketPeer(harness.over_tls(script)) as server:
            process = harness.start(self.valgrind + harness.ours('http_headers') + [
                'https://localhost:%d/' % server.port], env=harness.environment(SSL_CERT_FILE=harness.pem('ca')))
            outcome = harness.finish(process)
        self.assert_clean(process.pid)
        self.assertEqual(outcome, harness.Outcome(b'HTTP header> A: b\n', b'', 0))


if __name__ == '__main__':
    harness.main()
