/* SPDX-License-Identifier: MIT
 *
 * The yardstick of tools/bench over TLS: echo on bare epoll and OpenSSL, written for speed and
 * little memory alone. As in server_raw.c each choice is the best one known:
 *
 * - OpenSSL reads and writes memory, not the socket: one recv into a block that all connections
 *   share brings many records (on a socket OpenSSL makes two calls for each), and what a turn
 *   writes, handshake and alerts too, leaves in one send out of a second shared block.
 * - SSL_MODE_RELEASE_BUFFERS: an idle session holds no record buffer (some 34 KB otherwise). The
 *   plaintext goes into a third shared block, so an idle connection owns its session and 56 bytes.
 * - A read that cannot give anything is not tried: when the received block is used up and OpenSSL
 *   holds nothing decrypted, the next SSL_read would only say WANT_READ.
 * - No session cache: TLS 1.3's tickets are enough to resume by. Two are sent after each handshake,
 *   OpenSSL's default, as Python's ssl sends them: all servers put the same bytes on the wire.
 */
#include "server_raw.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

enum {
    /* What one receive can decrypt to: OpenSSL may hold most of a record that began earlier. */
    PLAIN_BYTES = RECEIVE_BYTES + 16 * 1024,
    /* A turn's answer: all of it and a held line, as records again. */
    SEND_BYTES = 2 * (LINE_LIMIT_BYTES + PLAIN_BYTES),
};

struct connection {
    int fd;
    bool writing; /* waits for EPOLLOUT; it is not read from meanwhile */
    bool ending;  /* closed when everything is sent */
    SSL *ssl;
    char *line; /* an unfinished one */
    size_t line_size;
    char *unsent; /* ciphertext */
    size_t unsent_size;
};

struct server {
    int epoll;
    int listener;
    bool lines;
    SSL_CTX *ctx;
    BIO_METHOD *method;
    size_t received_size; /* of the block, from its position on */
    const char *received_position;
    size_t to_send_size;
    char received[RECEIVE_BYTES];
    char to_send[SEND_BYTES];
    /* The unfinished line goes right before the middle, the decrypted block after it. */
    char plain[LINE_LIMIT_BYTES + PLAIN_BYTES];
};

static int bio_read(BIO *bio, char *data, size_t size, size_t *count)
{
    struct server *const self = BIO_get_data(bio);
    *count = size < self->received_size ? size : self->received_size;
    BIO_clear_retry_flags(bio);
    if (*count == 0) {
        BIO_set_retry_read(bio);
        return 0;
    }
    memcpy(data, self->received_position, *count);
    self->received_position += *count;
    self->received_size -= *count;
    return 1;
}

static int bio_write(BIO *bio, const char *data, size_t size, size_t *count)
{
    struct server *const self = BIO_get_data(bio);
    BIO_clear_retry_flags(bio);
    if (size > SEND_BYTES - self->to_send_size) {
        return 0;
    }
    memcpy(self->to_send + self->to_send_size, data, size);
    self->to_send_size += size;
    *count = size;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

static bool watch(const struct server *self, struct connection *connection, bool writing)
{
    struct epoll_event event = {.events = writing ? EPOLLOUT : EPOLLIN, .data.ptr = connection};
    connection->writing = writing;
    return epoll_ctl(self->epoll, EPOLL_CTL_MOD, connection->fd, &event) == 0;
}

static bool keep(char **kept, size_t *kept_size, const char *data, size_t size)
{
    *kept = size == 0 ? NULL : malloc(size);
    *kept_size = size;
    if (*kept != NULL) {
        memcpy(*kept, data, size);
    }
    return size == 0 || *kept != NULL;
}

/* Sends what the turn has written. False: close the connection. */
static bool flush(struct server *self, struct connection *connection)
{
    const size_t size = self->to_send_size;
    self->to_send_size = 0;
    const ssize_t sent = size == 0 ? 0 : raw_send(connection->fd, self->to_send, size);
    if (sent < 0) {
        return false;
    }
    if ((size_t)sent < size) {
        return keep(&connection->unsent, &connection->unsent_size, self->to_send + sent,
                    size - (size_t)sent) &&
               watch(self, connection, true);
    }
    return !connection->ending;
}

/* Takes the bytes before and after the plain block's middle; what is answered goes to `to_send`. */
static bool answer(struct server *self, struct connection *connection, size_t size)
{
    const size_t held = connection->line_size;
    const char *const data = self->plain + LINE_LIMIT_BYTES - held;
    if (held > 0) {
        memcpy(self->plain + LINE_LIMIT_BYTES - held, connection->line, held);
        free(connection->line);
    }
    size += held;
    size_t whole = size;
    if (self->lines) {
        if (raw_has_line_too_long(data, size)) {
            return false;
        }
        const char *const last = memrchr(data, '\n', size);
        whole = last == NULL ? 0 : (size_t)(last - data) + 1;
    }
    size_t written;
    return (whole == 0 || SSL_write_ex(connection->ssl, data, whole, &written) == 1) &&
           keep(&connection->line, &connection->line_size, data + whole, size - whole);
}

/* Decrypts what was received. False: close at once. The handshake is made by SSL_read itself. */
static bool decrypt(struct server *self, struct connection *connection)
{
    size_t size = 0;
    size_t count;
    int result = 1;
    ERR_clear_error();
    while (result == 1 && size < PLAIN_BYTES &&
           (self->received_size > 0 || SSL_pending(connection->ssl) > 0)) {
        result = SSL_read_ex(connection->ssl, self->plain + LINE_LIMIT_BYTES + size,
                             PLAIN_BYTES - size, &count);
        size += result == 1 ? count : 0;
    }
    const int error = result == 1 ? SSL_ERROR_NONE : SSL_get_error(connection->ssl, result);
    if (size > 0 && !answer(self, connection, size)) {
        return false;
    }
    if (error == SSL_ERROR_ZERO_RETURN) {
        (void)SSL_shutdown(connection->ssl);
        connection->ending = true;
    }
    return error == SSL_ERROR_NONE || error == SSL_ERROR_WANT_READ ||
           error == SSL_ERROR_ZERO_RETURN;
}

/* False: close the connection. */
static bool on_readable(struct server *self, struct connection *connection)
{
    for (int i = 0; i < RECEIVES_MAX; i++) {
        const ssize_t received = recv(connection->fd, self->received, RECEIVE_BYTES, 0);
        if (received < 0) {
            return errno == EAGAIN || errno == EINTR;
        }
        if (received == 0) { /* without close_notify */
            (void)SSL_shutdown(connection->ssl);
            connection->ending = true;
            return flush(self, connection);
        }
        self->received_position = self->received;
        self->received_size = (size_t)received;
        const bool good = decrypt(self, connection);
        if (!flush(self, connection) || !good) { /* an alert may be under way */
            return false;
        }
        if (received < RECEIVE_BYTES || connection->writing) {
            return true;
        }
    }
    return true;
}

static bool on_writable(struct server *self, struct connection *connection)
{
    const ssize_t sent = raw_send(connection->fd, connection->unsent, connection->unsent_size);
    if (sent < 0) {
        return false;
    }
    connection->unsent_size -= (size_t)sent;
    memmove(connection->unsent, connection->unsent + sent, connection->unsent_size);
    if (connection->unsent_size > 0) {
        return true;
    }
    free(connection->unsent);
    connection->unsent = NULL;
    return !connection->ending && watch(self, connection, false);
}

static void drop(struct connection *connection)
{
    close(connection->fd);
    SSL_free(connection->ssl);
    free(connection->line);
    free(connection->unsent);
    free(connection);
}

static bool on_connection(struct server *self, struct connection *connection)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
    BIO *const bio = BIO_new(self->method);
    connection->ssl = SSL_new(self->ctx);
    if (bio == NULL || connection->ssl == NULL) {
        BIO_free(bio);
        return false;
    }
    BIO_set_data(bio, self);
    BIO_set_init(bio, 1);
    SSL_set_bio(connection->ssl, bio, bio);
    SSL_set_accept_state(connection->ssl);
    return epoll_ctl(self->epoll, EPOLL_CTL_ADD, connection->fd, &event) == 0;
}

static void accept_all(struct server *self)
{
    int fd;
    while ((fd = raw_accept(self->listener)) >= 0) {
        struct connection *const connection = calloc(1, sizeof *connection);
        if (connection == NULL) {
            close(fd);
            continue;
        }
        connection->fd = fd;
        if (!on_connection(self, connection)) {
            drop(connection);
        }
    }
}

static void set_up(struct server *self, const char *certificate, const char *key)
{
    self->ctx = SSL_CTX_new(TLS_server_method());
    self->method = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "block");
    if (self->ctx == NULL || self->method == NULL ||
        BIO_meth_set_read_ex(self->method, bio_read) != 1 ||
        BIO_meth_set_write_ex(self->method, bio_write) != 1 ||
        BIO_meth_set_ctrl(self->method, bio_ctrl) != 1 ||
        SSL_CTX_set_min_proto_version(self->ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_use_certificate_chain_file(self->ctx, certificate) != 1 ||
        SSL_CTX_use_PrivateKey_file(self->ctx, key, SSL_FILETYPE_PEM) != 1) {
        fprintf(stderr, "TLS: %s\n", ERR_reason_error_string(ERR_peek_last_error()));
        exit(EXIT_FAILURE);
    }
    SSL_CTX_set_mode(self->ctx, SSL_MODE_RELEASE_BUFFERS);
    SSL_CTX_set_options(self->ctx, SSL_OP_NO_RENEGOTIATION);
    SSL_CTX_set_session_cache_mode(self->ctx, SSL_SESS_CACHE_OFF);
}

void raw_serve_tls(bool lines, const char *certificate, const char *key)
{
    struct epoll_event events[EVENTS_MAX];
    struct server *const self = calloc(1, sizeof *self);
    if (self == NULL) {
        raw_die("calloc");
    }
    self->lines = lines;
    set_up(self, certificate, key);
    raw_listen(&self->listener, &self->epoll);
    for (;;) {
        const int count = epoll_wait(self->epoll, events, EVENTS_MAX, -1);
        if (count < 0 && errno != EINTR) {
            raw_die("epoll_wait");
        }
        for (int i = 0; i < count; i++) {
            struct connection *const connection = events[i].data.ptr;
            if (connection == NULL) {
                accept_all(self);
            } else if (!(connection->writing ? on_writable : on_readable)(self, connection)) {
                drop(connection);
            }
        }
    }
}
