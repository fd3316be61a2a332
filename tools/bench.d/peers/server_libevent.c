/* SPDX-License-Identifier: MIT
 *
 * tools/bench's server on libevent's bufferevents, over OpenSSL when it is given a certificate:
 * evbuffer finds the lines, moves them without a copy from input to output, and water marks stop
 * the reading from a peer that does not read.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/bufferevent_ssl.h>
#include <event2/event.h>
#include <event2/listener.h>
#include <openssl/err.h>
#include <openssl/ssl.h>

enum { LIMIT_BYTES = 64 * 1024, READ_BYTES = 64 * 1024, HIGH_WATER_BYTES = 64 * 1024 };

struct connection {
    struct bufferevent *event;
    bool ending; /* closed when the output is empty */
    unsigned long long count;
    unsigned long long bytes;
};

/* Takes in what there is. False: close. */
typedef bool received_fn(struct connection *connection, struct evbuffer *input,
                         struct evbuffer *output);
typedef void ended_fn(struct connection *connection, struct evbuffer *input,
                      struct evbuffer *output);

struct work {
    const char *name;
    received_fn *received;
    ended_fn *ended;
};

struct server {
    struct event_base *base;
    const struct work *work;
    SSL_CTX *ctx; /* NULL: plain */
};

static struct server server;

/* The length of the next line with its end; 0: there is none. */
static size_t next_line(struct evbuffer *input)
{
    const struct evbuffer_ptr found = evbuffer_search_eol(input, NULL, NULL, EVBUFFER_EOL_LF);
    return found.pos < 0 ? 0 : (size_t)found.pos + 1;
}

static bool echo_received(struct connection *connection, struct evbuffer *input,
                          struct evbuffer *output)
{
    size_t size;
    (void)connection;
    while ((size = next_line(input)) > 0) {
        if (size > LIMIT_BYTES + 1 || evbuffer_remove_buffer(input, output, size) < 0) {
            return false;
        }
    }
    return evbuffer_get_length(input) <= LIMIT_BYTES;
}

static void echo_ended(struct connection *connection, struct evbuffer *input,
                       struct evbuffer *output)
{
    (void)connection;
    (void)evbuffer_add_buffer(output, input);
}

static bool bulk_received(struct connection *connection, struct evbuffer *input,
                          struct evbuffer *output)
{
    (void)connection;
    return evbuffer_add_buffer(output, input) == 0;
}

static bool count_up(struct connection *connection, struct evbuffer *input, size_t size)
{
    connection->count++;
    connection->bytes += size;
    return evbuffer_drain(input, size) == 0;
}

static bool lines_received(struct connection *connection, struct evbuffer *input,
                           struct evbuffer *output)
{
    size_t size;
    (void)output;
    while ((size = next_line(input)) > 0) {
        if (size > LIMIT_BYTES + 1 || !count_up(connection, input, size)) {
            return false;
        }
    }
    return evbuffer_get_length(input) <= LIMIT_BYTES;
}

static bool messages_received(struct connection *connection, struct evbuffer *input,
                              struct evbuffer *output)
{
    struct evbuffer_ptr found;
    (void)output;
    while ((found = evbuffer_search(input, "\r\n\r\n", 4, NULL)).pos >= 0) {
        if (!count_up(connection, input, (size_t)found.pos + 4)) {
            return false;
        }
    }
    return evbuffer_get_length(input) <= LIMIT_BYTES;
}

static void messages_ended(struct connection *connection, struct evbuffer *input,
                           struct evbuffer *output)
{
    (void)input;
    (void)evbuffer_add_printf(output, "%llu %llu\n", connection->count, connection->bytes);
}

static void lines_ended(struct connection *connection, struct evbuffer *input,
                        struct evbuffer *output)
{
    const size_t rest = evbuffer_get_length(input);
    connection->count += rest > 0;
    connection->bytes += rest;
    messages_ended(connection, input, output);
}

static void drop(struct connection *connection)
{
    SSL *const ssl = bufferevent_openssl_get_ssl(connection->event);
    if (ssl != NULL) {
        (void)SSL_shutdown(ssl);
    }
    bufferevent_free(connection->event);
    free(connection);
}

static void on_readable(struct bufferevent *event, void *arg)
{
    struct connection *const connection = arg;
    struct evbuffer *const output = bufferevent_get_output(event);
    if (!server.work->received(connection, bufferevent_get_input(event), output)) {
        drop(connection);
    } else if (evbuffer_get_length(output) > HIGH_WATER_BYTES) {
        bufferevent_disable(event, EV_READ);
    }
}

/* The output is empty. */
static void on_written(struct bufferevent *event, void *arg)
{
    struct connection *const connection = arg;
    if (connection->ending) {
        drop(connection);
    } else if ((bufferevent_get_enabled(event) & EV_READ) == 0) {
        bufferevent_enable(event, EV_READ);
    }
}

static void on_event(struct bufferevent *event, short what, void *arg)
{
    struct connection *const connection = arg;
    if ((what & BEV_EVENT_CONNECTED) != 0) {
        return;
    }
    if ((what & BEV_EVENT_EOF) == 0) {
        drop(connection);
        return;
    }
    server.work->ended(connection, bufferevent_get_input(event), bufferevent_get_output(event));
    connection->ending = true;
    if (evbuffer_get_length(bufferevent_get_output(event)) == 0) {
        drop(connection);
    }
}

static struct bufferevent *new_event(evutil_socket_t fd)
{
    if (server.ctx == NULL) {
        return bufferevent_socket_new(server.base, fd, BEV_OPT_CLOSE_ON_FREE);
    }
    return bufferevent_openssl_socket_new(server.base, fd, SSL_new(server.ctx),
                                          BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE);
}

static void on_connection(struct evconnlistener *listener, evutil_socket_t fd,
                          struct sockaddr *address, int length, void *arg)
{
    const int on = 1;
    struct connection *const connection = calloc(1, sizeof *connection);
    struct bufferevent *const event = new_event(fd);
    (void)listener;
    (void)address;
    (void)length;
    (void)arg;
    if (connection == NULL || event == NULL ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0) {
        exit(EXIT_FAILURE);
    }
    connection->event = event;
    bufferevent_setcb(event, on_readable, on_written, on_event, connection);
    bufferevent_set_max_single_read(event, READ_BYTES);
    bufferevent_set_max_single_write(event, 2 * HIGH_WATER_BYTES);
    bufferevent_enable(event, EV_READ | EV_WRITE);
}

static SSL_CTX *load_context(const char *certificate, const char *key)
{
    SSL_CTX *const ctx = SSL_CTX_new(TLS_server_method());
    if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(ctx, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(ctx, key, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "TLS: %s\n", ERR_reason_error_string(ERR_peek_last_error()));
        exit(EXIT_FAILURE);
    }
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    return ctx;
}

static const struct work works[] = {{"echo", echo_received, echo_ended},
                                    {"lines", lines_received, lines_ended},
                                    {"messages", messages_received, messages_ended},
                                    {"bulk", bulk_received, echo_ended}};

int main(int argc, char **argv)
{
    for (size_t i = 0; (argc == 2 || argc == 4) && i < sizeof works / sizeof works[0]; i++) {
        if (strcmp(argv[1], works[i].name) == 0) {
            server.work = &works[i];
        }
    }
    if (server.work == NULL) {
        fprintf(stderr, "usage: %s echo|lines|messages|bulk [CERTIFICATE KEY]\n", argv[0]);
        return 2;
    }
    server.ctx = argc == 4 ? load_context(argv[2], argv[3]) : NULL;
    server.base = event_base_new();
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct evconnlistener *const listener = evconnlistener_new_bind(
        server.base, on_connection, NULL, LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 1024,
        (struct sockaddr *)&address, (int)sizeof address);
    if (listener == NULL ||
        getsockname(evconnlistener_get_fd(listener), (struct sockaddr *)&address, &length) != 0) {
        fprintf(stderr, "cannot listen\n");
        return 1;
    }
    printf("listening port=%d pid=%ld\n", ntohs(address.sin_port), (long)getpid());
    fflush(stdout);
    return event_base_dispatch(server.base) < 0;
}
