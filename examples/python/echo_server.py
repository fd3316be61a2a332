# SPDX-License-Identifier: MIT
#
# The page's TCP echo server, with HOST and PORT from the command line. Twin of ../echo_server.c.
import asyncio

from endpoint import endpoint


async def handle_echo(reader, writer):
    data = await reader.read(100)
    message = data.decode()
    addr = writer.get_extra_info('peername')

    print(f'Received {message!r} from {addr!r}')

    print(f'Send: {message!r}')
    writer.write(data)
    await writer.drain()

    print('Close the connection')
    writer.close()


async def main(host, port):
    server = await asyncio.start_server(handle_echo, host, port)

    addr = server.sockets[0].getsockname()
    # Who started this program with port 0 waits for the line.
    print(f'Serving on {addr}', flush=True)

    async with server:
        await server.serve_forever()


asyncio.run(main(*endpoint('echo_server')))
