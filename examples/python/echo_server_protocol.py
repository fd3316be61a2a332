# SPDX-License-Identifier: MIT
#
# The TCP echo server once more, below streams: a protocol for each connection. Twin of
# ../echo_server_protocol.c.
import asyncio

from endpoint import endpoint


class EchoServer(asyncio.Protocol):
    def connection_made(self, transport):
        peername = transport.get_extra_info('peername')
        print(f'Connection from {peername!r}')
        self.transport = transport

    def data_received(self, data):
        message = data.decode()
        print(f'Data received: {message!r}')

        print(f'Send: {message!r}')
        self.transport.write(data)

        print('Close the client socket')
        self.transport.close()


async def serve(host, port):
    loop = asyncio.get_running_loop()
    server = await loop.create_server(EchoServer, host, port)

    addr = server.sockets[0].getsockname()
    # Who started this program with port 0 waits for the line.
    print(f'Serving on {addr}', flush=True)

    async with server:
        await server.serve_forever()


asyncio.run(serve(*endpoint('echo_server_protocol')))
