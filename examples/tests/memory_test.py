# SPDX-License-Identifier: MIT
#
# Every example under Valgrind, on its good way, on a failure and after Ctrl-C: no bad access, no leak of memory
# or descriptors. A build with sanitizers does not run this: it sees bad accesses and leaks in all the other tests.
import os
import re
import signal
import tempfile

import harness


class Valgrind(harness.TwinCase):
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


if __name__ == '__main__':
    harness.main()
