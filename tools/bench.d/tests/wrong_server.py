# SPDX-License-Identifier: MIT
"""Servers that answer wrongly, each in one way: the load generator must refuse every one of them."""
import asyncio
import os
import sys


async def other_byte(reader, writer):
    writer.write((await reader.readline()).replace(b"x", b"y", 1))


async def too_much(reader, writer):
    writer.write(await reader.readline() + b"!")
    await reader.read()


async def old_line(reader, writer):
    first = await reader.readline()
    writer.write(first)
    while await reader.readline():
        writer.write(first)


async def early_end(reader, writer):
    await reader.readline()


async def one_line_more(reader, writer):
    data = await reader.read()
    writer.write(b"%d %d\n" % (data.count(b"\n") + 1, len(data)))


async def never_ends(reader, writer):
    while True:
        line = await reader.readline()
        if not line:
            await asyncio.Event().wait()
        writer.write(line)


MODES = {mode.__name__: mode for mode in (other_byte, too_much, old_line, early_end, one_line_more, never_ends)}


async def main(mode):
    async def client(reader, writer):
        try:
            await mode(reader, writer)
        except ConnectionError:
            pass  # the load generator has seen enough
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, limit=1 << 26)
    print("listening port=%d pid=%d" % (server.sockets[0].getsockname()[1], os.getpid()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(MODES[os.environ["WRONG_SERVER"]]))
