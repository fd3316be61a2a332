# SPDX-License-Identifier: MIT
#
# Watches a file descriptor for read events. Twin of ../watch_descriptor.c.
import asyncio
import socket
import sys


def watch(loop, rsock, wsock):
    def on_readable():
        data = rsock.recv(100)
        print('Received:', data.decode())

        # We are done: stop watching the descriptor, and then the loop.
        loop.remove_reader(rsock)
        loop.stop()

    # Register the descriptor for read events.
    loop.add_reader(rsock, on_readable)

    # Simulate the reception of data from the network.
    loop.call_soon(wsock.send, b'abc')

    # Run until on_readable stops the loop.
    loop.run_forever()


if len(sys.argv) != 1:
    print('usage: watch_descriptor', file=sys.stderr)
    sys.exit(2)

# Create a pair of connected descriptors.
rsock, wsock = socket.socketpair()
loop = asyncio.new_event_loop()
try:
    watch(loop, rsock, wsock)
finally:
    loop.close()
    rsock.close()
    wsock.close()
