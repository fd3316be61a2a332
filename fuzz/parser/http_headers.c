/* SPDX-License-Identifier: MIT
 *
 * An example of fuzzing one's own code: the reading half of an HTTP/1 server. It takes requests
 * with their headers and a body of Content-Length, and answers each with what it understood.
 */
#include "http_headers.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <rill/rill.h>

#include "rill_fuzz.h"
#include "target.h"

#define LINE_LIMIT  256 /* bytes, the reader's */
#define HEADERS_MAX 16U
#define BODY_MAX    1000U
#define PATIENCE_S  15.0

struct request {
    size_t headers;
    size_t body; /* bytes */
    bool keep_alive;
};

/* One line without its end, an empty one too: 1; 0 at the end of the connection; or an error. */
static int read_line(struct rill_reader *reader, struct rill_bytes *line)
{
    const int rc = rill_reader_readuntil(reader, rill_bytes_of("\n"), line);
    if (rc == RILL_EINCOMPLETE) {
        return 0;
    }
    if (rc < 0) {
        return rc;
    }
    line->len -= line->len > 1 && line->ptr[line->len - 2] == '\r' ? 2 : 1;
    return 1;
}

/* `GET /path HTTP/1.1` */
static int parse_request_line(struct rill_bytes line, struct request *request)
{
    static const char version[] = " HTTP/1.";
    const size_t tail = sizeof version; /* with one digit for the NUL */
    const char *space = memchr(line.ptr, ' ', line.len);

    if (space == NULL || space == line.ptr || line.len < tail ||
        space >= line.ptr + line.len - tail ||
        memcmp(line.ptr + line.len - tail, version, tail - 1) != 0) {
        return RILL_EVALUE;
    }
    request->keep_alive = line.ptr[line.len - 1] == '1';
    return 0;
}

static int parse_length(struct rill_bytes value, size_t *length)
{
    *length = 0;
    for (size_t i = 0; i < value.len; i++) {
        if (value.ptr[i] < '0' || value.ptr[i] > '9') {
            return RILL_EVALUE;
        }
        *length = *length * 10 + (size_t)(value.ptr[i] - '0');
        if (*length > BODY_MAX) {
            return RILL_EVALUE;
        }
    }
    return value.len > 0 ? 0 : RILL_EVALUE;
}

static int take_header(struct rill_bytes line, struct request *request)
{
    char name[HTTP_NAME_SIZE];
    struct rill_bytes value;

    if (request->headers == HEADERS_MAX || !http_header_parse(line, name, &value)) {
        return RILL_EVALUE;
    }
    request->headers++;
    if (strcmp(name, "content-length") == 0) {
        return parse_length(value, &request->body);
    }
    if (strcmp(name, "connection") == 0) {
        request->keep_alive = !(value.len == 5 && memcmp(value.ptr, "close", 5) == 0);
    }
    return 0;
}

/* 1 with a request whose body has been read; 0 at the end of the connection; or an error. */
static int read_request(struct rill_reader *reader, struct request *request)
{
    struct rill_bytes bytes = {0};
    int rc = read_line(reader, &bytes);

    *request = (struct request){0};
    if (rc <= 0) {
        return rc;
    }
    rc = parse_request_line(bytes, request);
    if (rc < 0) {
        return rc;
    }
    while ((rc = read_line(reader, &bytes)) > 0 && bytes.len > 0) {
        rc = take_header(bytes, request);
        if (rc < 0) {
            return rc;
        }
    }
    if (rc <= 0) {
        return rc;
    }
    rc = rill_reader_readexactly(reader, (ssize_t)request->body, &bytes);
    return rc < 0 ? rc : 1;
}

static int respond(struct rill_writer *writer, const struct request *request)
{
    char text[96];
    const int len = snprintf(text, sizeof text,
                             "HTTP/1.1 200 OK\r\nX-Headers: %zu\r\nContent-Length: %zu\r\n\r\n",
                             request->headers, request->body);
    const int rc = rill_writer_write(writer, text, (size_t)len);
    return rc < 0 ? rc : rill_writer_drain(writer);
}

static int refuse(struct rill_writer *writer)
{
    static const char text[] = "HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n";
    return rill_writer_write(writer, text, sizeof text - 1);
}

static int serve(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct request request = {.keep_alive = true};
    int rc = 1;
    (void)arg;

    while (rc > 0 && request.keep_alive) {
        struct rill_timeout scope;
        rill_timeout_enter(&scope, PATIENCE_S);
        rc = rill_timeout_exit(&scope, read_request(reader, &request));
        if (rc > 0) {
            const int answered = respond(writer, &request);
            rc = answered < 0 ? answered : 1;
        }
    }
    return rc == RILL_EVALUE || rc == RILL_ELIMIT ? refuse(writer) : rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rill_fuzz_options options = {.limit = RILL_SET(LINE_LIMIT), .compare_whole = true};
    (void)rill_fuzz_run(data, size, serve, NULL, &options);
    return 0;
}
