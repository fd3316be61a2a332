# SPDX-License-Identifier: MIT
#
# echo_client over TLS, for a server with a certificate of a CA of one's own: sends one line, prints
# the answer up to its end, closes. Twin of ../tls_echo_client.c.
import asyncio
import ssl

from endpoint import endpoint


# Certificate and host name are checked, TLS 1.2 and up.
def make_context(cafile):
    context = ssl.create_default_context(cafile=cafile)
    context.minimum_version = ssl.TLSVersion.TLSv1_2    # the default since Python 3.10
    return context


async def tls_echo_client(cafile, host, port):
    reader, writer = await asyncio.open_connection(host, port, ssl=make_context(cafile))

    message = b'Hello World!\n'
    print(f'Send: {message!r}')
    writer.write(message)

    data = await reader.read()
    print(f'Received: {data!r}')

    print('Close the connection')
    writer.close()
    await writer.wait_closed()


asyncio.run(tls_echo_client(*endpoint('tls_echo_client', 'CAFILE')))
