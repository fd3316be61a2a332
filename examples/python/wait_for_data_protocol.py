# SPDX-License-Identifier: MIT
#
# Waits for data on a socket that was open before, with a protocol. Twin of
# ../wait_for_data_protocol.c.
import asyncio
import socket
import sys


class Receiver(asyncio.Protocol):
    def __init__(self, on_con_lost):
        self.on_con_lost = on_con_lost

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        print('Received:', data.decode())

        # We are done: close the transport; connection_lost() is then called by itself.
        self.transport.close()

    def connection_lost(self, exc):
        if not self.on_con_lost.done():
            self.on_con_lost.set_result(None)


async def wait_for_data():
    loop = asyncio.get_running_loop()
    on_con_lost = loop.create_future()

    # Create a pair of connected sockets.
    rsock, wsock = socket.socketpair()

    # Register the open socket to wait for data.
    transport, _ = await loop.create_connection(lambda: Receiver(on_con_lost), sock=rsock)

    # Simulate the reception of data from the network.
    loop.call_soon(wsock.send, b'abc')

    # Wait until the protocol has closed the transport.
    try:
        await on_con_lost
    finally:
        transport.close()
        wsock.close()


if len(sys.argv) != 1:
    print('usage: wait_for_data_protocol', file=sys.stderr)
    sys.exit(2)
asyncio.run(wait_for_data())
