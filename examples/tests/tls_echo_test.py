# SPDX-License-Identifier: MIT
#
# tls_echo_server and tls_echo_client beside their twins, with peers of Python's ssl, the openssl command and socat.
import asyncio
import socket
import ssl
import threading

import harness

SERVER = 'tls_echo_server'
CLIENT = 'tls_echo_client'
VERIFY_FAILED = b'ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: '


def serving(command):
    return harness.Serving(command + [harness.pem('server'), harness.pem('server'), '127.0.0.1', '0'])


def client_context(version=None):
    context = ssl.create_default_context(cafile=harness.pem('ca'))
    if version is not None:
        context.minimum_version = context.maximum_version = version
    return context


def exchange(port, data, context):
    """One client's turn: what came back up to close_notify, which the server has to send (read fails without)."""
    with context.wrap_socket(harness.connect(port), server_hostname='localhost',
                             suppress_ragged_eofs=False) as connection:
        connection.sendall(data)
        received = b''
        while True:
            part = connection.recv(65536)
            if not part:
                return connection.version(), received
            received += part


def printed(*received):
    return "Serving on ('127.0.0.1', PORT)\n" + ''.join('Received %r over %s\n' % line for line in received)


class SocketPeer(harness.TwinCase):
    """The servers."""
    def serve(self, turns):
        def situation(command):
            with serving(command) as server:
                seen = [turn(server) for turn in turns]
            return server.outcome, seen
        outcome, seen = self.assert_twins(situation, SERVER)
        self.assertEqual((outcome.error, outcome.status), (b'KeyboardInterrupt', 130))
        return outcome.stdout.decode(), seen

    def test_lines(self):
        lines = [b'Hello World!\n', b'it\'s "\0"\xff\n', b'x' * 100 + b'\n', b'no newline\n']
        versions = [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3] * 2
        stdout, seen = self.serve([
            lambda server, line=line, version=version: exchange(server.port, line, client_context(version))
            for line, version in zip(lines, versions)])
        self.assertEqual(seen, [(version.name.replace('_', '.'), line) for version, line in zip(versions, lines)])
        self.assertEqual(stdout, printed(*[(line, version) for version, line in seen]))

    def test_clients_that_fail_the_handshake_are_no_concern_of_the_others(self):
        def plain(server):
            return harness.exchange(harness.connect(server.port), b'GET / HTTP/1.0\r\n\r\n')[:0]

        def distrusting(server):
            try:
                exchange(server.port, b'never', ssl.create_default_context(cafile=harness.pem('client')))
            except ssl.SSLCertVerificationError as failure:
                return failure.verify_message

        def good(server):
            return exchange(server.port, b'next\n', client_context())
        stdout, seen = self.serve([plain, distrusting, good])
        self.assertEqual(seen, [b'', 'unable to get local issuer certificate', ('TLSv1.3', b'next\n')])
        self.assertEqual(stdout, printed((b'next\n', 'TLSv1.3')))

    def test_second_client_is_served_while_the_first_shakes_hands(self):
        def turn(server):
            with harness.connect(server.port):
                return exchange(server.port, b'second\n', client_context())
        _, seen = self.serve([turn])
        self.assertEqual(seen, [('TLSv1.3', b'second\n')])


class OpensslPeer(harness.TwinCase):
    def test_s_client(self):
        openssl = harness.tool('openssl')

        def situation(command):
            with serving(command) as server:
                client = harness.converse([
                    openssl, 's_client', '-quiet', '-verify_return_error', '-CAfile', harness.pem('ca'),
                    '-verify_hostname', 'localhost', '-connect', '127.0.0.1:%d' % server.port], b'Hello World!\n')
            return server.outcome, client.stdout, client.status
        outcome, answer, status = self.assert_twins(situation, SERVER)
        self.assertEqual((answer, status), (b'Hello World!\n', 0))
        self.assertEqual(outcome.stdout.decode(), printed((b'Hello World!\n', 'TLSv1.3')))

    def test_socat(self):
        socat = harness.tool('socat')

        def situation(command):
            with serving(command) as server:
                client = harness.converse([
                    socat, '-', 'OPENSSL:localhost:%d,pf=ip4,cafile=%s' % (server.port, harness.pem('ca'))],
                    b'Hello World!\n')
            return server.outcome, client
        _, client = self.assert_twins(situation, SERVER)
        self.assertEqual(client, harness.Outcome(b'Hello World!\n', b'', 0))


class ServerThread:
    """A server of Python's asyncio in a thread of its own."""
    def __init__(self, handle):
        self._handle = handle
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()))

    async def _run(self):
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(harness.pem('server'))
        self._done = asyncio.Event()
        self._loop = asyncio.get_running_loop()
        server = await asyncio.start_server(self._handle, '127.0.0.1', 0, ssl=context)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._done.wait()
        server.close()

    def __enter__(self):
        self._thread.start()
        if not self._ready.wait(harness.PATIENCE_S):
            raise AssertionError('no server')
        return self

    def __exit__(self, *_):
        self._loop.call_soon_threadsafe(self._done.set)
        self._thread.join()


class AsyncioPeer(harness.TwinCase):
    """The clients."""
    def test_answers(self):
        async def echo(reader, writer):
            writer.write(await reader.readline())
            writer.close()
        for host in 'localhost', '127.0.0.1':
            def situation(command):
                with ServerThread(echo) as server:
                    return harness.run(command + [harness.pem('ca'), host, str(server.port)])
            outcome = self.assert_twins(situation, CLIENT)
            self.assertEqual(outcome, harness.Outcome(
                b"Send: b'Hello World!\\n'\nReceived: b'Hello World!\\n'\nClose the connection\n", b'', 0))


class Failures(harness.TwinCase):
    def test_files(self):
        """Python names no file in either text."""
        for files, error in (
                (['none.pem', harness.pem('server')], b'FileNotFoundError: [Errno 2] No such file or directory'),
                ([harness.pem('server'), harness.pem('client')],
                 b'ssl.SSLError: [X509: KEY_VALUES_MISMATCH] key values mismatch')):
            outcome = self.assert_twins(lambda command: harness.run(command + files + ['127.0.0.1', '0']), SERVER)
            self.assertEqual(outcome, harness.Outcome(b'', error, 1))
        outcome = self.assert_twins(lambda command: harness.run(command + ['none.pem', '127.0.0.1', '1']), CLIENT)
        self.assertEqual(outcome, harness.Outcome(b'', b'FileNotFoundError: [Errno 2] No such file or directory', 1))

    def against(self, script, certificate='server', trusted='ca'):
        def situation(command):
            seen = []
            with harness.SocketPeer(harness.over_tls(script, certificate, seen)) as server:
                return harness.run(command + [harness.pem(trusted), 'localhost', str(server.port)])
        return situation

    def test_certificates(self):
        for certificate, trusted, text in (
                ('server', 'client', b'unable to get local issuer certificate'),
                ('expired', 'ca', b'certificate has expired'),
                ('other-name', 'ca', b"Hostname mismatch, certificate is not valid for 'localhost'.")):
            with self.subTest(certificate=certificate, trusted=trusted):
                outcome = self.assert_twins(
                    self.against(lambda connection: connection.recv(1), certificate, trusted), CLIENT)
                self.assertEqual(outcome, harness.Outcome(b'', VERIFY_FAILED + text, 1))

    def test_answer_cut_short(self):
        """asyncio, and so the twin, takes it for the whole answer (R-853)."""
        def half_an_answer(connection):
            connection.recv(100)
            connection.sendall(b'Hello')
            connection.shutdown(socket.SHUT_WR)    # below TLS: no close_notify
        situation = self.against(half_an_answer)
        self.assertEqual(situation(harness.ours(CLIENT)), harness.Outcome(
            b"Send: b'Hello World!\\n'\n", b'ssl.SSLEOFError: EOF occurred in violation of protocol', 1))
        self.assertEqual(situation(harness.twin(CLIENT)), harness.Outcome(
            b"Send: b'Hello World!\\n'\nReceived: b'Hello'\nClose the connection\n", b'', 0))


class Usage(harness.TwinCase):
    def test_wrong_arguments(self):
        for arguments in [], ['a'], ['a', 'b', 'c'], ['a', 'b', 'c', 'd', 'e']:
            self.assert_usage(SERVER, arguments, b'usage: tls_echo_server CERTFILE KEYFILE [HOST PORT]')
        for arguments in [], ['a', 'b'], ['a', 'b', 'c', 'd']:
            self.assert_usage(CLIENT, arguments, b'usage: tls_echo_client CAFILE [HOST PORT]')


if __name__ == '__main__':
    harness.main()
