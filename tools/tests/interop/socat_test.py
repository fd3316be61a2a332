# SPDX-License-Identifier: MIT
#
# rill with socat's OPENSSL addresses, as client and as server.
import re

import peers


class Socat(peers.InteropCase):
    def setUp(self):
        self.socat = peers.tool('socat')

    def test_client(self):
        with peers.RillServer('--ca', peers.pem('ca'), '--client', 'required') as server:
            with peers.Child([self.socat, '-', 'OPENSSL:localhost:%d,pf=ip4,cafile=%s,cert=%s' % (
                    server.port, peers.pem('ca'), peers.pem('client'))]) as client:
                client.say(b'echo hello\nsend 100000\nbye\n')
                self.assertEqual((client.finish(), client.text), (0, b'hello\n' + peers.pattern(100000)))
            server.wait_for(rb'end [^\n]*\n')
            made, end = server.stop()
            self.assertTrue(made.endswith(' peer=a client'))
            self.assertEqual(end, 'end clean')

    def test_client_refuses(self):
        with peers.RillServer(chain='expired') as server:
            with peers.Child([self.socat, '-', 'OPENSSL:localhost:%d,pf=ip4,cafile=%s' % (
                    server.port, peers.pem('ca'))]) as client:
                self.assertEqual(client.finish(), 1)
                self.assertIn(b'certificate verify failed', client.text)
            self.assertEqual(server.stop(), [])

    def test_server(self):
        """It gives back what it gets, until it hears close_notify."""
        with peers.Child([self.socat, '-d', '-d', 'OPENSSL-LISTEN:0,bind=127.0.0.1,cert=%s,cafile=%s,verify=1' % (
                peers.pem('server'), peers.pem('ca')), 'EXEC:cat']) as server:
            port = int(server.wait_for(rb'listening on AF=2 127\.0\.0\.1:(\d+)').group(1))
            with peers.client(port, 'say', 'hello\n', 'line', 'give', '100000', 'pattern', '100000', 'close', arguments=[
                    '--ca', peers.pem('ca'), '--chain', peers.pem('client')]) as client:
                self.assertEqual(client.finish(), 0)
                self.assertRegex(client.text, re.compile(
                    rb' peer=localhost\nhello\npattern 100000 ok\nclosed end (clean|truncated)\n$'))
            self.assertEqual(server.finish(), 0)
            self.assert_clean_end(server)


if __name__ == '__main__':
    peers.main()
