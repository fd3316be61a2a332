# SPDX-License-Identifier: MIT
#
# rill's client with `openssl s_server`: versions, ALPN, client certificates, certificates that are refused, key updates,
# a renegotiation that the server asks for, and endings.
import contextlib
import re

import peers

ABOUT_12 = 'made TLSv1.2 cipher=ECDHE-ECDSA-AES256-GCM-SHA384 alpn=%s reused=0 peer=localhost'
ABOUT_13 = 'made TLSv1.3 cipher=TLS_AES_256_GCM_SHA384 alpn=%s reused=0 peer=localhost'
VERIFY_FAILED = 'ssl.SSLCertVerificationError: [SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: '


class ServerCase(peers.InteropCase):
    def setUp(self):
        self.openssl = peers.tool('openssl')

    @contextlib.contextmanager
    def serve(self, *arguments, certificate='server'):
        """An s_server for one connection, and its port."""
        with peers.Child([self.openssl, 's_server', '-accept', '127.0.0.1:0', '-naccept', '1', '-cert',
                          peers.pem(certificate), *arguments], terminal=True) as server:
            yield server, int(server.wait_for(rb'ACCEPT 127\.0\.0\.1:(\d+)').group(1))

    def assert_ended(self, server):
        """s_server saw the end that TLS wants; DONE is printed for it."""
        self.assertEqual(server.finish(), 0)
        self.assert_clean_end(server, rb'shutting down SSL\s+CONNECTION CLOSED')


class Session(ServerCase):
    def test_versions_and_alpn(self):
        for version, about in ('-tls1_2', ABOUT_12), ('-tls1_3', ABOUT_13):
            with self.serve(version, '-alpn', 'h2,http/1.1') as (server, port):
                with peers.client(port, 'say', 'hello\n', 'line', 'close',
                                  arguments=['--ca', peers.pem('ca'), '--alpn', 'http/1.1', '--alpn', 'h2']) as client:
                    server.wait_for(b'(?m)^hello$')
                    server.say(b'answer\n')
                    self.assert_client(client, [about % 'h2', 'answer', 'closed end clean'])
                self.assert_ended(server)

    def test_web_page(self):
        for version in '-tls1_2', '-tls1_3':
            with self.serve(version, '-www') as (server, port):
                with peers.client(port, 'say', 'GET / HTTP/1.0\r\n\r\n', 'line', 'until', '</HTML>', 'rest',
                                  'close') as client:
                    self.assertEqual(client.finish(), 0)
                    self.assertIn(b'\nHTTP/1.0 200 ok\r\n', client.text)
                    self.assertRegex(client.text, rb'rest \d+ end clean\nclosed end clean\n$')
                self.assertEqual(server.finish(), 0)
                self.assert_clean_end(server)

    def test_client_certificate(self):
        for version in '-tls1_2', '-tls1_3':
            with self.serve(version, '-Verify', '1', '-verify_return_error', '-CAfile', peers.pem('ca')) as (server, port):
                with peers.client(port, 'line', 'close', arguments=['--ca', peers.pem('ca'), '--chain',
                                                                    peers.pem('client')]) as client:
                    server.wait_for(rb'subject=CN = a client')
                    server.say(b'welcome\n')
                    self.assertEqual(client.finish(), 0)
                    self.assertTrue(client.text.endswith(b'\nwelcome\nclosed end clean\n'))
                self.assert_ended(server)

    def test_client_certificate_is_missing(self):
        """TLS 1.3's client hears of it after its own handshake is over."""
        for version, lines in (
                ('-tls1_2', ['ssl.SSLError: [SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure']),
                ('-tls1_3', [ABOUT_13 % '-', 'ssl.SSLError: [SSL: TLSV13_ALERT_CERTIFICATE_REQUIRED] tlsv13 alert '
                                             'certificate required'])):
            with self.serve(version, '-Verify', '1', '-CAfile', peers.pem('ca')) as (server, port):
                with peers.client(port, 'rest') as client:
                    self.assert_client(client, lines, 1)
                self.assertEqual(server.finish(), 0)
                self.assertIn(b'peer did not return a certificate', server.text)


class Refused(ServerCase):
    def test_certificates(self):
        for certificate, host, text, alert in (
                ('expired', 'localhost', 'certificate has expired', b'alert certificate expired'),
                ('self-signed', 'localhost', 'self-signed certificate', b'alert unknown ca'),
                ('other-name', 'localhost', "Hostname mismatch, certificate is not valid for 'localhost'.",
                 b'alert bad certificate'),
                ('other-name', '127.0.0.1', "IP address mismatch, certificate is not valid for '127.0.0.1'.",
                 b'alert bad certificate')):
            # In TLS 1.2 s_server does not show self-signed.pem: its key is for signing certificates alone.
            for version in ['-tls1_3'] if certificate == 'self-signed' else ['-tls1_2', '-tls1_3']:
                with self.subTest(certificate=certificate, host=host, version=version):
                    with self.serve(version, certificate=certificate) as (server, port):
                        with peers.client(port, 'rest', host=host) as client:
                            self.assert_client(client, [VERIFY_FAILED + text], 1)
                        self.assertEqual(server.finish(), 0)
                        self.assertIn(alert, server.text)

    def test_nobody_is_trusted(self):
        with self.serve() as (server, port):
            with peers.client(port, 'rest', arguments=[]) as client:
                self.assert_client(client, [VERIFY_FAILED + 'unable to get local issuer certificate'], 1)
            self.assertEqual(server.finish(), 0)
            self.assertIn(b'alert unknown ca', server.text)

    def test_no_common_version(self):
        for version, only in ('-tls1_2', '13'), ('-tls1_3', '12'):
            with self.serve(version) as (server, port):
                with peers.client(port, 'rest', arguments=['--ca', peers.pem('ca'), '--only', only]) as client:
                    self.assertEqual(client.finish(), 1)
                    self.assertIn(b'ssl.SSLError: [SSL: TLSV1_ALERT_PROTOCOL_VERSION]', client.text)
                server.finish()

    def test_old_versions(self):
        """A server that speaks nothing newer; the client's own minimum says so first."""
        for version in '-tls1', '-tls1_1':
            with self.serve(version, '-cipher', 'DEFAULT@SECLEVEL=0') as (server, port):
                with peers.client(port, 'rest') as client:
                    self.assertEqual(client.finish(), 1)
                    self.assertRegex(client.text, rb'^ssl\.SSLError: \[SSL: TLSV1_ALERT_PROTOCOL_VERSION\]')
                server.finish()


class During(ServerCase):
    def command(self, server, letter):
        server.say(letter + b'\n')
        server.wait_for(rb'SSL_do_handshake -> 1')

    def test_renegotiation_that_the_server_asks_for(self):
        """R-832: the application notices nothing, and data keeps flowing both ways."""
        for letter in b'r', b'R':
            with self.serve('-tls1_2') as (server, port):
                with peers.client(port, 'say', 'hello\n', 'line', 'say', 'thanks\n', 'line', 'close') as client:
                    server.wait_for(b'(?m)^hello$')
                    self.command(server, letter)
                    server.say(b'one\n')
                    server.wait_for(b'(?m)^thanks$')
                    server.say(b'two\n')
                    self.assert_client(client, [ABOUT_12 % '-', 'one', 'two', 'closed end clean'])
                self.assert_ended(server)

    def test_key_update(self):
        """R-833: `k` is the server's new key, `K` asks for the client's too."""
        with self.serve('-tls1_3') as (server, port):
            with peers.client(port, 'line', 'say', 'ONE\n', 'line', 'say', 'TWO\n', 'line', 'say', 'THREE\n',
                              'close') as client:
                server.wait_for(b'CIPHER is')
                for letter, number in (b'k', b'one'), (b'K', b'two'), (b'K', b'three'):
                    self.command(server, letter)
                    server.say(number + b'\n')
                    server.wait_for(b'(?m)^' + number.upper() + b'$')
                self.assert_client(client, [ABOUT_13 % '-', 'one', 'two', 'three', 'closed end clean'])
            self.assert_ended(server)


class Endings(ServerCase):
    def test_much_data_before_the_end(self):
        """Everything arrives before close_notify."""
        for version in '-tls1_2', '-tls1_3':
            with self.serve(version) as (server, port):
                with peers.client(port, 'give', str(peers.BULK), 'close') as client:
                    self.assert_ended(server)
                    # It also prints that it waits.
                    self.assertIn(peers.pattern(peers.BULK), server.text.replace(b'Read BLOCK\n', b''))
                    self.assertEqual(client.finish(), 0)
                    self.assertTrue(client.text.endswith(b'closed end clean\n'))

    def test_server_leaves_without_close_notify(self):
        """s_server's `Q` cuts the connection: a clean end to asyncio's eyes (R-853), an error when strict (Q-01)."""
        for version, about in ('-tls1_2', ABOUT_12), ('-tls1_3', ABOUT_13):
            for strict, lines, status in (
                    ([], ['rest 0 end truncated', 'closed end truncated'], 0),
                    (['--strict'], ['ssl.SSLEOFError: EOF occurred in violation of protocol'], 1)):
                with self.subTest(version=version, strict=strict), self.serve(version) as (server, port):
                    with peers.client(port, 'say', 'hello\n', 'rest', 'close',
                                      arguments=['--ca', peers.pem('ca'), *strict]) as client:
                        server.wait_for(b'(?m)^hello$')
                        server.say(b'Q\n')
                        self.assert_client(client, [about % '-', *lines], status)
                    server.finish()

    def test_server_speaks_no_tls(self):
        with self.serve() as (server, port):
            with peers.client(port, 'say', 'hello\n', 'rest') as client:
                server.wait_for(rb'CIPHER is')
                server.say(b'P\n')    # s_server's own way to say something in clear
                self.assertEqual(client.finish(), 1)
                self.assertRegex(client.text, re.compile(rb'\nssl\.SSLError: \[SSL: [A-Z_]+\] '))
            server.finish()


if __name__ == '__main__':
    peers.main()
