/* SPDX-License-Identifier: MIT
 *
 * The load generator's connections: recv and send, or OpenSSL on the same descriptor.
 */
#include "load_stream.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <openssl/err.h>
#include <openssl/ssl.h>

/* What all servers are measured with: what two OpenSSL 3 agree on when nobody says anything, so
 * that no peer is measured with a cheaper cipher than another. */
#define CIPHER "TLS_AES_256_GCM_SHA384"
#define GROUP  "X25519"

static void die_of_tls(const struct load_stream *self, const char *what)
{
    load_die("connection %u: %s: %s", self->number, what,
             ERR_reason_error_string(ERR_peek_last_error()));
}

/* Full handshakes only: sessions are never offered again, so tickets come and are dropped. */
SSL_CTX *load_stream_context(const char *certificate)
{
    SSL_CTX *const ctx = SSL_CTX_new(TLS_client_method());
    if (ctx == NULL || SSL_CTX_set_min_proto_version(ctx, TLS1_3_VERSION) != 1 ||
        SSL_CTX_set_ciphersuites(ctx, CIPHER) != 1 || SSL_CTX_set1_groups_list(ctx, GROUP) != 1 ||
        SSL_CTX_load_verify_file(ctx, certificate) != 1) {
        load_die("TLS: %s", ERR_reason_error_string(ERR_peek_last_error()));
    }
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    return ctx;
}

static void make_session(struct load_stream *self, const struct load_options *options)
{
    self->ssl = SSL_new(options->tls);
    if (self->ssl == NULL || SSL_set_fd(self->ssl, self->fd) != 1 ||
        SSL_set_tlsext_host_name(self->ssl, "localhost") != 1 ||
        SSL_set1_host(self->ssl, "localhost") != 1) {
        die_of_tls(self, "no session");
    }
    SSL_set_connect_state(self->ssl);
}

void load_stream_open(struct load_stream *self, const struct load_options *options, int epoll,
                      void *data)
{
    self->fd = load_connect(options, epoll, EPOLLIN, data);
    self->ssl = NULL;
    if (options->tls != NULL) {
        make_session(self, options);
    }
}

/* True: it wants to wait. Anything else that is not success ends the program. */
static bool must_wait(const struct load_stream *self, int result, const char *what)
{
    const int os_errno = errno;
    const int error = SSL_get_error(self->ssl, result);
    if (error == SSL_ERROR_WANT_READ || error == SSL_ERROR_WANT_WRITE) {
        return true;
    }
    if (error == SSL_ERROR_ZERO_RETURN ||
        (error == SSL_ERROR_SYSCALL && (os_errno == EPIPE || os_errno == ECONNRESET))) {
        load_die("connection %u: the server closed it", self->number);
    }
    die_of_tls(self, what);
    return false;
}

bool load_stream_handshake(struct load_stream *self)
{
    if (self->ssl == NULL || SSL_is_init_finished(self->ssl)) {
        return true;
    }
    ERR_clear_error();
    const int result = SSL_do_handshake(self->ssl);
    if (result != 1) {
        (void)must_wait(self, result, "handshake");
        return false;
    }
    if (SSL_session_reused(self->ssl)) {
        load_die("connection %u: not a full handshake", self->number);
    }
    return true;
}

static void wait_for_input(const struct load_stream *self, const struct load_options *options)
{
    struct pollfd wait = {.fd = self->fd, .events = POLLIN};
    if (poll(&wait, 1, options->silence_ms) != 1) {
        load_die("connection %u: the server has not answered for %d ms", self->number,
                 options->silence_ms);
    }
}

void load_stream_handshake_wait(struct load_stream *self, const struct load_options *options)
{
    while (!load_stream_handshake(self)) {
        wait_for_input(self, options);
    }
}

size_t load_stream_send_some(struct load_stream *self, const char *data, size_t size)
{
    size_t sent = 0;
    if (self->ssl != NULL) {
        ERR_clear_error();
        const int result = SSL_write_ex(self->ssl, data, size, &sent);
        return result == 1 || must_wait(self, result, "cannot send") ? sent : 0;
    }
    const ssize_t count = send(self->fd, data, size, MSG_NOSIGNAL);
    if (count < 0 && errno != EAGAIN) {
        load_die("connection %u: cannot send: %s", self->number, strerror(errno));
    }
    return count < 0 ? 0 : (size_t)count;
}

void load_stream_send(struct load_stream *self, const char *data, size_t size)
{
    if (load_stream_send_some(self, data, size) != size) {
        load_die("connection %u: cannot send: the socket is full", self->number);
    }
}

size_t load_stream_receive(struct load_stream *self, char *data, size_t size)
{
    size_t got = 0;
    if (self->ssl != NULL) {
        ERR_clear_error();
        const int result = SSL_read_ex(self->ssl, data, size, &got);
        return result == 1 || must_wait(self, result, "the server closed it") ? got : 0;
    }
    const ssize_t count = recv(self->fd, data, size, 0);
    if (count == 0 || (count < 0 && errno != EAGAIN)) {
        load_die("connection %u: the server closed it", self->number);
    }
    return count < 0 ? 0 : (size_t)count;
}

void load_stream_finish(struct load_stream *self)
{
    if (self->ssl == NULL) {
        shutdown(self->fd, SHUT_WR);
    } else if (SSL_shutdown(self->ssl) < 0) {
        die_of_tls(self, "cannot end it");
    }
}

/* 1: data came, 0: the end, -1: nothing yet. A server that answers close_notify by closing at once
 * is within its rights; one that cuts the connection is not (a reset is an error of recv). */
static int receive_end(const struct load_stream *self)
{
    char rest;
    if (self->ssl != NULL) {
        ERR_clear_error();
        const int result = SSL_read(self->ssl, &rest, 1);
        const int error = SSL_get_error(self->ssl, result);
        if (result == 1 || error == SSL_ERROR_SYSCALL) {
            return 1;
        }
        if (error == SSL_ERROR_WANT_READ) {
            return -1;
        }
        if (error != SSL_ERROR_ZERO_RETURN &&
            ERR_GET_REASON(ERR_peek_last_error()) != SSL_R_UNEXPECTED_EOF_WHILE_READING) {
            return 1;
        }
    }
    const ssize_t count = recv(self->fd, &rest, 1, 0);
    return count < 0 && errno == EAGAIN ? -1 : count != 0;
}

bool load_stream_ended(struct load_stream *self)
{
    const int state = receive_end(self);
    if (state > 0) {
        load_die("connection %u: the server did not end it after the last line", self->number);
    }
    if (state == 0) {
        load_stream_drop_session(self);
        close(self->fd);
    }
    return state == 0;
}

void load_stream_end_wait(struct load_stream *self, const struct load_options *options)
{
    struct pollfd wait = {.fd = self->fd, .events = POLLIN};
    do {
        if (poll(&wait, 1, options->silence_ms) != 1) {
            load_die("connection %u: the server did not end it after the last line", self->number);
        }
    } while (!load_stream_ended(self));
}

void load_stream_drop_session(struct load_stream *self)
{
    SSL_free(self->ssl);
    self->ssl = NULL;
}
