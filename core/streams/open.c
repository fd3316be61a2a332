/* SPDX-License-Identifier: MIT
 *
 * open_connection and create_connection (section 5).
 */
#include "streams/open.h"

#include <string.h>

#include "net/net.h"
#include "sansio/memory.h"
#include "streams/stream.h"

static const struct rill_connection_options no_options = {0};

int rill__await_made(struct rill_task *task, struct rill__selector *transport)
{
    struct rill__wait wait;

    rill__wait_init(&wait, task);
    transport->opener = &wait;
    const int rc = rill__wait(&wait, NULL);
    if (transport->opener == &wait) {
        transport->opener = NULL;
    }
    if (rc < 0) {
        rill_transport_close(&transport->base);
        rill_transport_unref(&transport->base);
    }
    return rc;
}

/* -- addresses ------------------------------------------------------------------------------- */

struct attempts {
    const struct rill_error **errors;
    size_t count;
};

static void attempts_cleanup(struct attempts *attempts)
{
    for (size_t i = 0; i < attempts->count; i++) {
        rill_error_unref(attempts->errors[i]);
    }
    rill__free(attempts->errors);
}

static bool all_same(const struct attempts *attempts)
{
    for (size_t i = 1; i < attempts->count; i++) {
        if (strcmp(attempts->errors[0]->text, attempts->errors[i]->text) != 0) {
            return false;
        }
    }
    return true;
}

/* `Multiple exceptions: text1, text2`. */
static const struct rill_error *join_texts(const struct attempts *attempts)
{
    size_t size = 1;
    for (size_t i = 0; i < attempts->count; i++) {
        size += strlen(attempts->errors[i]->text) + 2;
    }
    char *text = rill__alloc(size);
    if (text == NULL) {
        return rill_error_new(RILL_ENOMEM, "%s", "");
    }
    size_t used = 0;
    for (size_t i = 0; i < attempts->count; i++) {
        const size_t length = strlen(attempts->errors[i]->text);
        if (i > 0) {
            memcpy(text + used, ", ", 2);
            used += 2;
        }
        memcpy(text + used, attempts->errors[i]->text, length);
        used += length;
    }
    text[used] = '\0';
    const struct rill_error *error = rill_error_from_errno_text(0, "Multiple exceptions: %s", text);
    rill__free(text);
    return error;
}

/* one error of all attempts. */
static const struct rill_error *merge(const struct attempts *attempts)
{
    return all_same(attempts) ? rill_error_ref(attempts->errors[0]) : join_texts(attempts);
}

/* What is no OSError ends the whole attempt. */
static bool ends_everything(int code)
{
    return code == RILL_EOVERFLOW || code == RILL_ECANCELLED || code == RILL_ENOMEM;
}

/* Strictly one after another, the first success wins. Returns the descriptor. */
static int connect_first(struct rill_loop *loop, const struct rill__address_list *list)
{
    struct attempts attempts = {0};
    const struct rill_error *error = NULL;
    int rc = RILL_EOS;

    attempts.errors = rill__alloc_zeroed(list->count * sizeof(attempts.errors[0]));
    if (attempts.errors == NULL) {
        return rill__fail(rill_error_new(RILL_ENOMEM, "%s", ""));
    }
    for (size_t i = 0; i < list->count && rc < 0; i++) {
        rc = rill__connect(loop, &list->items[i], &error);
        if (rc < 0 && ends_everything(rc)) {
            rc = rill__fail(error);
            attempts_cleanup(&attempts);
            return rc;
        }
        if (rc < 0) {
            attempts.errors[attempts.count++] = error;
        }
    }
    if (rc < 0) {
        rc = rill__fail(merge(&attempts));
    }
    attempts_cleanup(&attempts);
    return rc;
}

static int connect_host(struct rill_loop *loop, const char *host, const char *port,
                        const struct rill_connection_options *options)
{
    struct rill__address_list list;
    int rc =
        rill__resolve(loop, host, port, options->family, options->proto, options->flags, &list);
    if (rc < 0) {
        return rc;
    }
    if (list.count == 0) { /* */
        rc = rill__fail(rill_error_from_errno_text(0, "getaddrinfo() returned empty list"));
    } else {
        rc = connect_first(loop, &list);
    }
    rill__address_list_cleanup(&list);
    return rc;
}

static int adopt_socket(struct rill_loop *loop, int fd)
{
    if (!rill__is_stream_socket(loop, fd)) { /* */
        return rill__fail(
            rill_error_new(RILL_EVALUE, "A Stream Socket was expected, got <socket fd=%d>", fd));
    }
    const int rc = rill__set_nonblocking(loop, fd);
    return rc < 0 ? rill__fail(rill_error_from_errno(-rc)) : fd;
}

/* 5.2's order, then a connected descriptor. */
static int connected_socket(struct rill_loop *loop, const char *host, const char *port,
                            const struct rill_connection_options *options)
{
    const bool named = host != NULL || port != NULL;

    if (named && options->sock.given) { /* */
        return rill__fail(rill_error_new(
            RILL_EVALUE, "host/port and sock can not be specified at the same time"));
    }
    if (named) {
        return connect_host(loop, host, port, options);
    }
    if (!options->sock.given) { /* */
        return rill__fail(
            rill_error_new(RILL_EVALUE, "host and port was not specified and no sock specified"));
    }
    return adopt_socket(loop, (int)options->sock.value);
}

/* A descriptor that rill made is rill's to close; one that was passed in stays the caller's on
 * failure. */
static void give_up_socket(struct rill_loop *loop, int fd,
                           const struct rill_connection_options *options)
{
    if (!options->sock.given) {
        rill__close(loop, fd);
    }
}

/* -- the public calls ------------------------------------------------------------------------ */

int rill_create_connection(rill_protocol_factory *factory, void *arg, const char *host,
                           const char *port, const struct rill_connection_options *options,
                           struct rill_transport **transport, struct rill_protocol **protocol)
{
    struct rill__selector *made = NULL;
    const struct rill_error *error = NULL;
    struct rill_task *task;

    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    const int fd = connected_socket(task->loop, host, port, options);
    if (fd < 0) {
        return fd;
    }
    *protocol = factory(arg);
    if (*protocol == NULL) {
        give_up_socket(task->loop, fd, options);
        return rill__fail(rill_error_new(RILL_ENOMEM, "%s", ""));
    }
    int rc = rill__socket_transport_new(task->loop, fd, NULL, *protocol, &made, &error);
    if (rc < 0) {
        give_up_socket(task->loop, fd, options);
        return rill__fail(error);
    }
    rc = rill__await_made(task, made);
    if (rc < 0) {
        return rc;
    }
    *transport = &made->base;
    return 0;
}

/* The pair over a transport whose caller's reference goes to the pair. */
static int pair_of(struct rill_task *task, struct rill__stream *stream,
                   struct rill__selector *transport, struct rill_reader **reader,
                   struct rill_writer **writer)
{
    const int rc = rill__await_made(task, transport);
    if (rc < 0) {
        rill__stream_release_owner(stream);
        return rc;
    }
    rill_transport_unref(&transport->base); /* the stream has its own since connection_made */
    *reader = &stream->reader;
    *writer = &stream->writer;
    return 0;
}

static int new_stream(struct rill_loop *loop, const struct rill_connection_options *options,
                      struct rill__stream **stream)
{
    size_t limit;
    const int rc = rill__limit_of(options->limit, &limit); /* first of all */
    if (rc < 0) {
        return rc;
    }
    *stream = rill__stream_new(loop, limit);
    return *stream != NULL ? 0 : rill__fail(rill_error_new(RILL_ENOMEM, "%s", ""));
}

static int open_over_socket(struct rill_task *task, struct rill__stream *stream, int fd,
                            struct rill_reader **reader, struct rill_writer **writer)
{
    struct rill__selector *transport = NULL;
    const struct rill_error *error = NULL;
    const int rc = rill__socket_transport_new(task->loop, fd, NULL, rill__stream_protocol(stream),
                                              &transport, &error);
    if (rc < 0) {
        stream->held_by_transport = false;
        return rill__fail(error);
    }
    return pair_of(task, stream, transport, reader, writer);
}

int rill_open_connection(const char *host, const char *port,
                         const struct rill_connection_options *options, struct rill_reader **reader,
                         struct rill_writer **writer)
{
    struct rill__stream *stream;
    struct rill_task *task;

    *reader = NULL;
    *writer = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    int rc = new_stream(task->loop, options, &stream);
    if (rc < 0) {
        return rc;
    }
    const int fd = connected_socket(task->loop, host, port, options);
    if (fd < 0) {
        rill__stream_release_owner(stream);
        return fd;
    }
    rc = open_over_socket(task, stream, fd, reader, writer);
    if (rc < 0 && rc != RILL_ECANCELLED) {
        give_up_socket(task->loop, fd, options);
        rill__stream_release_owner(stream);
    }
    return rc;
}

int rill_open_memory_connection(const struct rill_connection_options *options,
                                const struct rill_memory_options *memory,
                                struct rill_reader **reader, struct rill_writer **writer,
                                struct rill_memory_peer **peer)
{
    struct rill_transport *transport;
    struct rill__stream *stream;
    struct rill_task *task;

    *reader = NULL;
    *writer = NULL;
    *peer = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    int rc = new_stream(task->loop, options != NULL ? options : &no_options, &stream);
    if (rc < 0) {
        return rc;
    }
    rc = rill_memory_transport_new(task->loop, rill__stream_protocol(stream), memory, &transport,
                                   peer);
    if (rc < 0) {
        stream->held_by_transport = false;
        rill__stream_release_owner(stream);
        return rill__fail(rill_error_new(rc, "%s", ""));
    }
    rc = pair_of(task, stream, rill__container(transport, struct rill__selector, base), reader,
                 writer);
    if (rc < 0) {
        rill_memory_peer_free(*peer);
        *peer = NULL;
    }
    return rc;
}
