/* SPDX-License-Identifier: MIT
 *
 * The page's "get HTTP headers": asks for the headers of the URL on the command line and prints
 * them. The page's program always asks port 80 or 443; this one honours the URL's port. An https
 * server has to show a certificate that the system trusts (or a CA in the file that SSL_CERT_FILE
 * names), for the URL's host. Twin: python/http_headers.py.
 */
#include <stdio.h>
#include <string.h>

#include <rill/rill.h>

#include "url.h"

/* str.rstrip() of Latin-1 text: the white space there is, the no-break space too. */
static struct rill_bytes rstrip(struct rill_bytes line)
{
    while (line.len > 0 &&
           memchr("\t\n\v\f\r\x1c\x1d\x1e\x1f \x85\xa0", line.ptr[line.len - 1], 12) != NULL) {
        line.len--;
    }
    return line;
}

/* print() of Latin-1 text on a UTF-8 stdout. */
static void print_latin1(const char *label, struct rill_bytes line)
{
    fputs(label, stdout);
    for (size_t i = 0; i < line.len; i++) {
        const unsigned code_point = (unsigned char)line.ptr[i];
        if (code_point < 0x80) {
            putchar((int)code_point);
        } else {
            putchar((int)(0xC0 | (code_point >> 6)));
            putchar((int)(0x80 | (code_point & 0x3F)));
        }
    }
    putchar('\n');
}

static int open_url(const struct url *url, struct rill_reader **reader, struct rill_writer **writer)
{
    const struct rill_connection_options tls = {.ssl = rill_ssl_default};
    const char *const port = url->port[0] != '\0' ? url->port : url->https ? "443" : "80";

    return rill_open_connection(url->hostname, port, url->https ? &tls : NULL, reader, writer);
}

static int print_http_headers(void *arg)
{
    const struct url *url = arg;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes line;

    int rc = open_url(url, &reader, &writer);
    if (rc < 0) {
        return rc;
    }

    const struct rill_bytes query[] = {
        rill_bytes_of("HEAD "),
        url->path.len > 0 ? url->path : rill_bytes_of("/"),
        rill_bytes_of(" HTTP/1.0\r\nHost: "),
        rill_bytes_of(url->hostname),
        rill_bytes_of("\r\n\r\n"),
    };

    rc = rill_writer_writelines(writer, query, sizeof query / sizeof query[0]);
    while (rc >= 0) {
        rc = rill_reader_readline(reader, &line);
        if (rc < 0 || line.len == 0) {
            break;
        }

        line = rstrip(line);
        if (line.len > 0) {
            print_latin1("HTTP header> ", line);
        }
    }

    /* Ignore the body, close the socket. */
    rill_writer_close(writer);
    rill_writer_free(writer);
    return rc;
}

int main(int argc, char **argv)
{
    struct url url;

    if (argc != 2 || !url_split(argv[1], &url)) {
        fprintf(stderr, "usage: http_headers http[s]://HOST[:PORT][/PATH]\n");
        return 2;
    }
    return rill_main(print_http_headers, &url);
}
