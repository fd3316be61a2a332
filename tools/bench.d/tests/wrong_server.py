# SPDX-License-Identifier: MIT
"""Servers that answer wrongly, each in one way: the load generator must refuse every one of them."""
import asyncio
import os
import ssl
import subprocess
import sys
import tempfile


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


async def other_certificate(reader, writer):
    raise AssertionError("the handshake cannot succeed")


async def no_tls_1_3(reader, writer):
    raise AssertionError("the handshake cannot succeed")


MODES = {mode.__name__: mode for mode in (other_byte, too_much, old_line, early_end, one_line_more, never_ends,
                                       other_certificate, no_tls_1_3)}


def load_other_certificate(context):
    """One for the same name and with a key of its own: only who checks signatures sees it."""
    with tempfile.TemporaryDirectory() as folder:
        names = [os.path.join(folder, name) for name in ("certificate", "key")]
        subprocess.check_call(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                               "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost", "-out", names[0],
                               "-keyout", names[1]], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        context.load_cert_chain(*names)


def make_context(mode):
    """TLS when the command line has a certificate and key behind the work."""
    if len(sys.argv) < 4:
        return None
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    if mode is other_certificate:
        load_other_certificate(context)
    else:
        context.load_cert_chain(sys.argv[2], sys.argv[3])
    if mode is no_tls_1_3:
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context


async def main(mode):
    async def client(reader, writer):
        try:
            await mode(reader, writer)
        except ConnectionError:
            pass  # the load generator has seen enough
        writer.close()

    server = await asyncio.start_server(client, "127.0.0.1", 0, limit=1 << 26, ssl=make_context(mode))
    print("listening port=%d pid=%d" % (server.sockets[0].getsockname()[1], os.getpid()), flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(MODES[os.environ["WRONG_SERVER"]]))
