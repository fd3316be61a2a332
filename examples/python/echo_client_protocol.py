# SPDX-License-Identifier: MIT
#
# The TCP echo client once more, below streams: a protocol whose methods the transport calls. Twin of
# ../echo_client_protocol.c.
import asyncio

from endpoint import endpoint


class EchoClient(asyncio.Protocol):
    def __init__(self, message, on_con_lost):
        self.message = message
        self.on_con_lost = on_con_lost

    def connection_made(self, transport):
        transport.write(self.message.encode())
        print(f'Data sent: {self.message!r}')

    def data_received(self, data):
        print(f'Data received: {data.decode()!r}')

    def connection_lost(self, exc):
        print('The server closed the connection')
        if not self.on_con_lost.done():
            self.on_con_lost.set_result(None)


async def run(message, host, port):
    loop = asyncio.get_running_loop()
    on_con_lost = loop.create_future()
    transport, _ = await loop.create_connection(lambda: EchoClient(message, on_con_lost), host, port)

    # Wait until the protocol says that the connection is lost, and close the transport.
    try:
        await on_con_lost
    finally:
        transport.close()


asyncio.run(run('Hello World!', *endpoint('echo_client_protocol')))
