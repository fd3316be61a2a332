# SPDX-License-Identifier: MIT
#
# rill's server with `openssl s_client`: versions, names, ALPN, client certificates, sessions, key updates, a
# renegotiation that is refused, and endings as s_client judges them.
import os
import re
import tempfile

import peers

ECDSA_12 = 'ECDHE-ECDSA-AES256-GCM-SHA384'
AES_13 = 'TLS_AES_256_GCM_SHA384'
PLAIN_12 = 'TLSv1.2 cipher=%s alpn=- reused=0 peer=-' % ECDSA_12
PLAIN_13 = 'TLSv1.3 cipher=%s alpn=- reused=0 peer=-' % AES_13


class ClientCase(peers.InteropCase):
    def setUp(self):
        self.openssl = peers.tool('openssl')

    def connect(self, server, *arguments):
        return peers.Child([self.openssl, 's_client', '-connect', '127.0.0.1:%d' % server.port, '-CAfile',
                            peers.pem('ca'), '-verify_return_error', '-verify_hostname', 'localhost', *arguments])

    def assert_echo(self, client, text=b'hello'):
        client.say(b'echo %s\n' % text)
        client.wait_for(text + b'\n')    # it may stand in the middle of what s_client tells of a ticket

    def leave(self, client):
        """The server ends the connection, s_client says how it saw that."""
        client.say(b'bye\n')
        self.assertEqual(client.finish(), 0)
        self.assert_clean_end(client, rb'(?m)^closed$')


class Versions(ClientCase):
    def test_both(self):
        for version, about in ('-tls1_2', PLAIN_12), ('-tls1_3', PLAIN_13):
            with peers.RillServer() as server, self.connect(server, version) as client:
                client.wait_for(rb'Verification: OK')
                client.say(b'about\n')
                client.wait_for(re.escape(about.encode()))
                self.assert_echo(client)
                self.leave(client)
                self.assertEqual(server.stop(), ['made ' + about, 'end clean'])

    def test_no_common_version(self):
        for only, version in ('13', '-tls1_2'), ('12', '-tls1_3'):
            with peers.RillServer('--only', only) as server, self.connect(server, version) as client:
                self.assertNotEqual(client.finish(), 0)
                self.assertIn(b'alert protocol version', client.text)
                self.assertEqual(server.stop(), [])

    def test_old_versions_are_refused(self):
        for version in '-tls1', '-tls1_1':
            with peers.RillServer() as server:
                with self.connect(server, version, '-cipher', 'DEFAULT@SECLEVEL=0') as client:
                    self.assertNotEqual(client.finish(), 0)
                    self.assertIn(b'alert protocol version', client.text)
                self.assertEqual(server.stop(), [])


class Negotiation(ClientCase):
    def test_alpn_the_servers_order_decides(self):
        for offered, chosen in ('h2,http/1.1', 'http/1.1'), ('h2', 'h2'), ('spdy/1', '-'):
            with peers.RillServer('--alpn', 'http/1.1', '--alpn', 'h2') as server:
                with self.connect(server, '-alpn', offered) as client:
                    client.say(b'about\n')
                    client.wait_for(b' alpn=%s ' % chosen.encode())
                    self.leave(client)
                    said = re.search(rb'ALPN protocol: (\S+)', client.text)
                    self.assertEqual(said.group(1).decode() if said else '-', chosen)

    def test_sni_chooses_the_certificate(self):
        for name, subject in ('localhost', b'CN = localhost'), ('other.test', b'CN = other.test'):
            with peers.RillServer('--sni', 'other.test', peers.pem('other-name')) as server:
                with self.connect(server, '-servername', name, '-verify_hostname', name) as client:
                    client.wait_for(rb'subject=' + subject)
                    client.wait_for(rb'Verification: OK')
                    self.assert_echo(client)
                    self.leave(client)
                self.assertEqual(server.stop()[0], 'name ' + name)

    def test_no_sni(self):
        with peers.RillServer('--sni', 'other.test', peers.pem('other-name')) as server:
            with self.connect(server, '-noservername') as client:
                client.wait_for(rb'subject=CN = localhost')
                self.leave(client)
            self.assertEqual(server.stop()[0], 'name -')


class ClientCertificates(ClientCase):
    def test_good_one(self):
        for version in '-tls1_2', '-tls1_3':
            for mode in 'required', 'optional':
                with peers.RillServer('--ca', peers.pem('ca'), '--client', mode) as server:
                    with self.connect(server, version, '-cert', peers.pem('client')) as client:
                        client.say(b'about\n')
                        client.wait_for(rb'peer=a client')
                        self.leave(client)

    def test_none(self):
        with peers.RillServer('--ca', peers.pem('ca'), '--client', 'optional') as server:
            with self.connect(server) as client:
                client.say(b'about\n')
                client.wait_for(rb'peer=-')
                self.leave(client)
        # TLS 1.3's client has finished before the server looks at what it showed; so it hears of it later.
        for version, alert in ('-tls1_2', rb'alert handshake failure'), ('-tls1_3', rb'alert certificate required'):
            with peers.RillServer('--ca', peers.pem('ca'), '--client', 'required') as server:
                with self.connect(server, version) as client:
                    client.wait_for(alert)
                    self.assertNotEqual(client.finish(), 0)
                self.assertEqual(server.stop(), [])

    def test_bad_one(self):
        for certificate, alert in ('expired', rb'alert certificate expired'), ('self-signed', rb'alert unknown ca'):
            for mode in 'required', 'optional':
                with peers.RillServer('--ca', peers.pem('ca'), '--client', mode) as server:
                    with self.connect(server, '-cert', peers.pem(certificate)) as client:
                        client.wait_for(alert)
                        self.assertNotEqual(client.finish(), 0)
                    self.assertEqual(server.stop(), [])


class Sessions(ClientCase):
    def test_reconnect(self):
        """TLS 1.2: one session, and five times the same again."""
        with peers.RillServer() as server, self.connect(server, '-tls1_2', '-reconnect') as client:
            for want in ['New'] + ['Reused'] * 5:
                client.wait_for(b'(?m)^' + want.encode() + b', TLSv1.2, Cipher is ' + ECDSA_12.encode())
            self.assert_echo(client)
            self.leave(client)
            lines = server.stop()
            self.assertEqual([line for line in lines if line.startswith('made ')],
                             ['made ' + PLAIN_12] + ['made ' + PLAIN_12.replace('reused=0', 'reused=1')] * 5)
            self.assertEqual([line for line in lines if line.startswith('end ')], ['end clean'] * 6)

    def test_kept_in_a_file(self):
        for version in '-tls1_2', '-tls1_3':
            with tempfile.TemporaryDirectory() as folder, peers.RillServer() as server:
                session = os.path.join(folder, 'session')
                with self.connect(server, version, '-sess_out', session) as client:
                    self.assert_echo(client)    # TLS 1.3's tickets come before it
                    self.leave(client)
                    self.assertRegex(client.text, rb'(?m)^New, ')
                with self.connect(server, version, '-sess_in', session) as client:
                    self.assert_echo(client)
                    self.leave(client)
                    self.assertRegex(client.text, rb'(?m)^Reused, ')
                self.assertEqual([line.split()[4] for line in server.stop() if line.startswith('made ')],
                                 ['reused=0', 'reused=1'])

    def test_client_certificate_is_known_in_a_resumed_session(self):
        for version in '-tls1_2', '-tls1_3':
            with tempfile.TemporaryDirectory() as folder:
                session = os.path.join(folder, 'session')
                with peers.RillServer('--ca', peers.pem('ca'), '--client', 'required') as server:
                    for way in ['-sess_out', session, '-cert', peers.pem('client')], ['-sess_in', session]:
                        with self.connect(server, version, *way) as client:
                            self.assert_echo(client)
                            self.leave(client)
                    self.assertEqual([line.split(maxsplit=4)[4] for line in server.stop() if line.startswith('made ')],
                                     ['reused=0 peer=a client', 'reused=1 peer=a client'])


class During(ClientCase):
    def test_key_update(self):
        """`k` updates the client's keys, `K` asks the server to update its own too (R-833)."""
        with peers.RillServer() as server, self.connect(server, '-tls1_3') as client:
            for round_number, command in enumerate([b'k', b'K', b'K', b'k']):
                client.say(command + b'\n')
                client.wait_for(rb'KEYUPDATE')
                self.assert_echo(client, b'round %d' % round_number)
            self.leave(client)
            self.assertEqual(server.stop(), ['made ' + PLAIN_13, 'end clean'])

    def test_key_update_in_the_middle_of_much_data(self):
        with peers.RillServer() as server, self.connect(server, '-tls1_3') as client:
            client.say(b'send 3000000\n')
            client.wait_for(re.escape(peers.pattern(251)))
            client.say(b'K\n')
            client.wait_for(rb'KEYUPDATE')
            self.assert_echo(client, b'still there')
            self.leave(client)

    def test_renegotiation_is_refused(self):
        """R-831: the server's no is a warning, which s_client takes for the end."""
        with peers.RillServer() as server, self.connect(server, '-tls1_2') as client:
            self.assert_echo(client)
            client.say(b'R\n')
            client.wait_for(rb'RENEGOTIATING.*no renegotiation')
            self.assertNotEqual(client.finish(), 0)
            server.wait_for(rb'end [^\n]*\n')
            self.assertEqual(server.stop(), [
                'made ' + PLAIN_12, 'end open [SSL: SSLV3_ALERT_HANDSHAKE_FAILURE] sslv3 alert handshake failure'])


class Endings(ClientCase):
    def test_client_ends(self):
        """`Q` and the end of its input are close_notify, and the server answers it."""
        for leave in lambda client: client.say(b'Q\n'), lambda client: client.end_input():
            for version, about in ('-tls1_2', PLAIN_12), ('-tls1_3', PLAIN_13):
                with peers.RillServer() as server, self.connect(server, version) as client:
                    self.assert_echo(client)
                    leave(client)
                    self.assertEqual(client.finish(), 0)
                    self.assert_clean_end(client, rb'(?m)^DONE$')
                    server.wait_for(rb'end [^\n]*\n')
                    self.assertEqual(server.stop(), ['made ' + about, 'end clean'])

    def test_client_is_killed(self):
        """A bare FIN: what came may be cut short (Q-01)."""
        for strict, end in ([], 'end truncated'), (['--strict'], 'end truncated EOF occurred in violation of protocol'):
            with peers.RillServer(*strict) as server:
                with self.connect(server) as client:
                    self.assert_echo(client)
                    client.process.kill()
                    client.process.wait()
                    server.wait_for(rb'end [^\n]*\n')
                self.assertEqual(server.stop(), ['made ' + PLAIN_13, end])


if __name__ == '__main__':
    peers.main()
