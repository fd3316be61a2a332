# SPDX-License-Identifier: MIT
#
# Without arguments the echo programs use the page's address. The port is bound for the while by a socket that does not
# listen: the clients are refused and the server cannot bind, so nobody is ever served on a fixed port.
import socket

import harness


class Defaults(harness.TwinCase):
    def test_page_address(self):
        with socket.socket() as held:
            try:
                held.bind(('127.0.0.1', 8888))
            except OSError as error:
                self.skipTest('port 8888 is in use: %s' % error)
            for name, words in (('echo_client', b'Connect call failed'), ('echo_client_no_wait', b'Connect call failed'),
                                ('echo_server', b'error while attempting to bind on address')):
                with self.subTest(name=name):
                    of_ours, of_twin = harness.run(harness.ours(name)), harness.run(harness.twin(name))
                    self.assertEqual(of_ours, harness.with_errno_in_bind_error(of_twin))
                    self.assertIn(words + b" ('127.0.0.1', 8888)", of_ours.error)


if __name__ == '__main__':
    harness.main()
