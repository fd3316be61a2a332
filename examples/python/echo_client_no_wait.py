# SPDX-License-Identifier: MIT
#
# The page's second TCP echo client: the same without wait_closed(). Twin of
# ../echo_client_no_wait.c.
import asyncio

from endpoint import endpoint


async def tcp_echo_client(message, host, port):
    reader, writer = await asyncio.open_connection(host, port)

    print(f'Send: {message!r}')
    writer.write(message.encode())

    data = await reader.read(100)
    print(f'Received: {data.decode()!r}')

    print('Close the connection')
    writer.close()


asyncio.run(tcp_echo_client('Hello World!', *endpoint('echo_client_no_wait')))
