# SPDX-License-Identifier: MIT
#
# rill's server with curl over https: both versions, keep-alive, much data and certificates that curl refuses.
import re

import peers


class Curl(peers.InteropCase):
    def setUp(self):
        self.curl = peers.tool('curl')

    def get(self, server, *arguments, paths=('/1000',), ca='ca', host='localhost'):
        with peers.Child([self.curl, '--silent', '--show-error', '--cacert', peers.pem(ca), *arguments,
                          *['https://%s:%d%s' % (host, server.port, path) for path in paths]]) as curl:
            return curl.finish(), curl.text

    def test_versions(self):
        for arguments, version in (['--tls-max', '1.2'], 'TLSv1.2'), (['--tlsv1.3'], 'TLSv1.3'):
            for host in 'localhost', '127.0.0.1':
                with peers.RillServer() as server:
                    self.assertEqual(self.get(server, *arguments, host=host), (0, peers.pattern(1000)))
                    server.wait_for(rb'end [^\n]*\n')
                    made, end = server.stop()
                    self.assertEqual((made.split()[1], end), (version, 'end clean'))

    def test_alpn(self):
        with peers.RillServer('--alpn', 'http/1.1') as server:
            self.assertEqual(self.get(server), (0, peers.pattern(1000)))
            self.assertIn(' alpn=http/1.1 ', server.stop()[0])

    def test_keep_alive(self):
        """Three requests, one handshake."""
        with peers.RillServer() as server:
            self.assertEqual(self.get(server, paths=['/10', '/20', '/30']),
                             (0, peers.pattern(10) + peers.pattern(20) + peers.pattern(30)))
            server.wait_for(rb'end [^\n]*\n')
            self.assertEqual([line.split()[0] for line in server.stop()], ['made', 'end'])

    def test_server_ends(self):
        """HTTP/1.0: the answer ends with close_notify, and curl has all of it."""
        with peers.RillServer() as server:
            self.assertEqual(self.get(server, '--http1.0'), (0, peers.pattern(1000)))
            server.wait_for(rb'end [^\n]*\n')
            self.assertEqual(server.stop()[1], 'end clean')

    def test_much_data(self):
        for arguments in ['--tls-max', '1.2'], ['--tlsv1.3'], ['--http1.0']:
            with peers.RillServer() as server:
                status, body = self.get(server, *arguments, paths=['/%d' % peers.BULK])
                self.assertEqual((status, body == peers.pattern(peers.BULK)), (0, True))

    def test_client_certificate(self):
        with peers.RillServer('--ca', peers.pem('ca'), '--client', 'required') as server:
            self.assertEqual(self.get(server, '--cert', peers.pem('client')), (0, peers.pattern(1000)))
            status, text = self.get(server)
            self.assertEqual((status, bool(re.search(rb'alert certificate required', text))), (56, True))
            self.assertTrue(server.stop()[0].endswith(' peer=a client'))

    def test_curl_refuses(self):
        for chain, ca, text in (('server', 'client', b'unable to get local issuer certificate'),
                                ('expired', 'ca', b'certificate has expired'),
                                ('other-name', 'ca', b"no alternative certificate subject name matches")):
            with peers.RillServer(chain=chain) as server:
                status, said = self.get(server, ca=ca)
                self.assertEqual((status, text in said), (60, True), said)


if __name__ == '__main__':
    peers.main()
