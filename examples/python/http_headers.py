# SPDX-License-Identifier: MIT
#
# The page's "get HTTP headers". It honours the URL's port, and takes only a URL that it can use: http
# or https, a host name, visible ASCII. Twin of ../http_headers.c.
import asyncio
import sys
import urllib.parse


async def print_http_headers(url, port):
    if url.scheme == 'https':
        reader, writer = await asyncio.open_connection(
            url.hostname, 443 if port is None else port, ssl=True)
    else:
        reader, writer = await asyncio.open_connection(
            url.hostname, 80 if port is None else port)

    query = (
        f"HEAD {url.path or '/'} HTTP/1.0\r\n"
        f"Host: {url.hostname}\r\n"
        f"\r\n"
    )

    writer.write(query.encode('latin-1'))
    while True:
        line = await reader.readline()
        if not line:
            break

        line = line.decode('latin1').rstrip()
        if line:
            print(f'HTTP header> {line}')

    # Ignore the body, close the socket
    writer.close()


def split(text):
    """The URL and its port, or None when the URL is none that this program can use."""
    if not all('!' <= letter <= '~' for letter in text):
        return None
    try:
        url = urllib.parse.urlsplit(text)
        port = url.port
    except ValueError:
        return None
    if url.scheme not in ('http', 'https') or not url.hostname:
        return None
    return url, port


target = split(sys.argv[1]) if len(sys.argv) == 2 else None
if target is None:
    print('usage: http_headers http[s]://HOST[:PORT][/PATH]', file=sys.stderr)
    sys.exit(2)
asyncio.run(print_http_headers(*target))
