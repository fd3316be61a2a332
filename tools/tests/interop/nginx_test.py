# SPDX-License-Identifier: MIT
#
# rill's client with nginx over https: keep-alive, much data down and up, client certificates, endings.
import contextlib
import os
import socket
import tempfile

import peers

CONFIGURATION = '''
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log info;
events {{ worker_connections 64; }}
http {{
    access_log {folder}/access.log; root {folder};
    client_body_temp_path {folder}/t1; proxy_temp_path {folder}/t2; fastcgi_temp_path {folder}/t3;
    uwsgi_temp_path {folder}/t4; scgi_temp_path {folder}/t5;
    keepalive_timeout 60; types {{ }} default_type text/plain;
    server {{
        listen 127.0.0.1:{port} ssl; ssl_certificate {pem}; ssl_certificate_key {pem};
        ssl_client_certificate {ca}; ssl_verify_client {verify}; ssl_protocols {protocols};
        location = /who {{ return 200 "$ssl_protocol $ssl_client_verify $ssl_client_s_dn $ssl_server_name\\n"; }}
    }}
}}
'''
REQUEST = 'GET %s HTTP/1.1\r\nHost: localhost\r\n\r\n'
LAST_REQUEST = 'GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n'


class Nginx(peers.InteropCase):
    @contextlib.contextmanager
    def serve(self, verify='off', protocols='TLSv1.2 TLSv1.3'):
        """An nginx, its port and its folder."""
        program = peers.tool('nginx', '/usr/sbin', '/usr/local/sbin')
        with tempfile.TemporaryDirectory() as folder, socket.create_server(('127.0.0.1', 0)) as listener:
            # nginx takes over a socket that already listens, as in its own upgrade: an ephemeral port without a race.
            port = listener.getsockname()[1]
            os.chmod(folder, 0o755)    # started by root, its worker is somebody else
            with open(os.path.join(folder, 'bulk'), 'wb') as bulk:
                bulk.write(peers.pattern(peers.BULK))
            with open(os.path.join(folder, 'nginx.conf'), 'w') as configuration:
                configuration.write(CONFIGURATION.format(
                    folder=folder, port=port, pem=peers.pem('server'), ca=peers.pem('ca'), verify=verify,
                    protocols=protocols))
            command = ['env', 'NGINX=%d;' % listener.fileno(), program, '-p', folder, '-c',
                       os.path.join(folder, 'nginx.conf')]
            with peers.Child(command, pass_fds=[listener.fileno()]) as server:
                yield port, folder
                server.process.terminate()
                server.finish()

    def assert_no_complaints(self, folder):
        with open(os.path.join(folder, 'error.log')) as log:
            self.assertNotRegex(log.read(), r'SSL_|\[(error|crit|alert|emerg)\]')

    def lines(self, client):
        self.assertEqual(client.finish(), 0, client.text)
        return client.text.decode().replace('\r', '').splitlines()

    def test_keep_alive(self):
        for protocol in 'TLSv1.2', 'TLSv1.3':
            with self.serve(protocols=protocol) as (port, folder):
                steps = ['say', REQUEST % '/who', 'until', '\r\n\r\n', 'line'] * 3
                with peers.client(port, *steps, 'say', LAST_REQUEST % '/who', 'until', '\r\n\r\n', 'line', 'rest',
                                  'close') as client:
                    lines = self.lines(client)
                self.assertEqual(lines[0].split()[1], protocol)
                self.assertEqual([line for line in lines if line.startswith('TLSv')],
                                 ['%s NONE  localhost' % protocol] * 4)
                self.assertEqual(lines[-2:], ['rest 0 end clean', 'closed end clean'])
                self.assert_no_complaints(folder)

    def test_much_data_down(self):
        for protocol in 'TLSv1.2', 'TLSv1.3':
            with self.serve(protocols=protocol) as (port, folder):
                with peers.client(port, 'say', REQUEST % '/bulk', 'until', '\r\n\r\n', 'pattern', peers.BULK, 'say',
                                  LAST_REQUEST % '/bulk', 'until', '\r\n\r\n', 'pattern', peers.BULK, 'rest',
                                  'close') as client:
                    lines = self.lines(client)
                self.assertEqual(lines.count('pattern %d ok' % peers.BULK), 2)
                self.assertEqual(lines[-2:], ['rest 0 end clean', 'closed end clean'])
                self.assert_no_complaints(folder)

    def test_client_certificate(self):
        for arguments, status, said in (
                (['--chain', peers.pem('client')], '200', 'SUCCESS CN=a client localhost'),
                ([], '400', 'No required SSL certificate was sent'),
                (['--chain', peers.pem('expired')], '400', 'The SSL certificate error')):
            with self.serve(verify='on') as (port, folder):
                with peers.client(port, 'say', LAST_REQUEST % '/who', 'line', 'until', '\r\n\r\n', 'until', '\n', 'rest',
                                  'close', arguments=['--ca', peers.pem('ca'), *arguments]) as client:
                    text = '\n'.join(self.lines(client))
                self.assertIn('HTTP/1.1 %s ' % status, text)
                if status == '200':
                    self.assertIn('TLSv1.3 ' + said, text)
                    self.assert_no_complaints(folder)

    def test_it_is_left_in_the_middle(self):
        """Whoever closes with data on the way sends its close_notify, and ends when the server has sent its own: what
        comes in between is discarded (Q-05)."""
        with self.serve() as (port, folder):
            with peers.client(port, 'say', REQUEST % '/bulk', 'until', '\r\n\r\n', 'close') as client:
                lines = self.lines(client)
            self.assertTrue(lines[-1].startswith('closed end '), lines)
            # nginx serves on.
            with peers.client(port, 'say', LAST_REQUEST % '/bulk', 'until', '\r\n\r\n', 'pattern', peers.BULK, 'rest',
                              'close') as client:
                self.assertIn('pattern %d ok' % peers.BULK, self.lines(client))


if __name__ == '__main__':
    peers.main()
