# SPDX-License-Identifier: MIT
#
# The shortest safe TLS server: echo_server with a context. Sends every client its first line back,
# until Ctrl-C. Twin of ../tls_echo_server.c.
import asyncio
import ssl

from endpoint import endpoint


# The handshake is over, and was a success, when this starts. Who fails it is never seen here.
async def handle_echo(reader, writer):
    line = await reader.readline()
    _, protocol, _ = writer.get_extra_info('cipher')
    print(f'Received {line!r} over {protocol}')

    writer.write(line)
    await writer.drain()

    # Sends what is queued, then close_notify: the client knows that nothing was cut off.
    writer.close()


# TLS 1.2 and up; clients are not asked for certificates (verify_mode).
def make_context(certfile, keyfile):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.minimum_version = ssl.TLSVersion.TLSv1_2    # the default since Python 3.10
    context.load_cert_chain(certfile, keyfile)
    return context


async def main(certfile, keyfile, host, port):
    context = make_context(certfile, keyfile)
    server = await asyncio.start_server(handle_echo, host, port, ssl=context)

    addr = server.sockets[0].getsockname()
    # Who started this program with port 0 waits for the line.
    print(f'Serving on {addr}', flush=True)

    async with server:
        await server.serve_forever()


asyncio.run(main(*endpoint('tls_echo_server', 'CERTFILE', 'KEYFILE')))
