/* SPDX-License-Identifier: MIT
 *
 * Calls at moments that nobody waits for: out of a protocol's own events.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "tls_endings.h"

static const struct rill_opt_int no_limit = {.given = false};

/* -- a protocol that calls back --------------------------------------------------------------- */

enum { SMALL = 10 };

struct meddler {
    struct rill_protocol base;
    struct rill_protocol *above; /* the stream, which hears of the end */
    struct rill_transport *transport;
    void (*act)(struct meddler *self); /* in its first pause_writing or buffer_updated */
    struct rill_protocol *next;        /* set in its get_buffer, or by `act`; NULL: none */
    int pauses;
    int events;
    size_t taken;
    int written; /* what its own write returned */
    char space[SMALL];
};

static struct meddler *of(struct rill_protocol *protocol)
{
    return (struct meddler *)protocol; /* its first member */
}

static void pause_writing(struct rill_protocol *protocol)
{
    struct meddler *const self = of(protocol);
    if (++self->pauses == 1) {
        self->act(self);
    }
}

static const struct rill_protocol_ops meddler_ops;

static size_t get_buffer(struct rill_protocol *protocol, size_t hint, char **space)
{
    struct meddler *const self = of(protocol);

    (void)hint;
    if (self->base.ops == &meddler_ops && self->next != NULL) {
        rill_transport_set_protocol(self->transport, self->next);
    }
    *space = self->space;
    return SMALL;
}

static int buffer_updated(struct rill_protocol *protocol, size_t count)
{
    struct meddler *const self = of(protocol);
    self->taken += count;
    if (++self->events == 1) {
        self->act(self);
    }
    return 0;
}

static int data_received(struct rill_protocol *protocol, struct rill_bytes data)
{
    of(protocol)->taken += data.len;
    return 0;
}

static int eof_received(struct rill_protocol *protocol)
{
    return of(protocol)->above->ops->eof_received(of(protocol)->above);
}

static void connection_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    of(protocol)->above->ops->connection_lost(of(protocol)->above, error);
}

/* Without data_received: asyncio's BufferedProtocol. */
static const struct rill_protocol_ops meddler_ops = {
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
    .pause_writing = pause_writing,
};

static const struct rill_protocol_ops streaming_ops = {
    .data_received = data_received,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
};
static const struct rill_protocol_ops both_ops = {
    .get_buffer = get_buffer,
    .buffer_updated = buffer_updated,
    .data_received = data_received,
    .eof_received = eof_received,
    .connection_lost = connection_lost,
};

static void meddle(struct meddler *self, const struct rig *rig, void (*act)(struct meddler *))
{
    *self = (struct meddler){
        .base.ops = &meddler_ops, .transport = rill_writer_transport(rig->writer), .act = act};
    self->above = rill_transport_get_protocol(self->transport);
    rill_transport_set_protocol(self->transport, &self->base);
}

static void write_back(struct meddler *self, const char *data, size_t size)
{
    self->written = rill_transport_write(self->transport, data, size, NULL);
}

/* -- out of pause_writing --------------------------------------------------------------------- */

enum { FULL = 100000, MUCH = 300 * 1024, HEARD_MAX = MUCH + 100, HEARING_TURNS = 15 };

static char *many_bytes(void)
{
    char *const bytes = malloc(MUCH);
    for (size_t i = 0; bytes != NULL && i < MUCH; i++) {
        bytes[i] = (char)(i * 7 % 251);
    }
    return bytes;
}

/* Everything that rill sends; how the last read ended. */
static size_t hear_all(struct rig *rig, char *heard, int *end)
{
    size_t size = 0;
    for (int i = 0; i < HEARING_TURNS; i++) {
        rig_turns(rig);
        size += rig_hear(rig, heard + size, HEARD_MAX - size, end);
    }
    return size;
}

static void check_heard(struct rig *rig, const char *said, const char *then, int want_end)
{
    char *const heard = malloc(HEARD_MAX);
    const size_t wanted = MUCH + strlen(then);
    int end;
    const size_t size = hear_all(rig, heard, &end);

    EXPECT_INT(rig, (long long)size, (long long)wanted);
    EXPECT(rig, size == wanted && memcmp(heard, said, MUCH) == 0);
    EXPECT(rig, size == wanted && memcmp(heard + MUCH, then, strlen(then)) == 0);
    EXPECT_INT(rig, end, want_end);
    free(heard);
}

/* A write of more than is encrypted at once, the first piece of which fills the buffer. */
static void write_much(struct rig *rig, struct meddler *meddler, const char *bytes)
{
    const struct rill_opt_int full = RILL_SET(FULL);

    rill_transport_set_write_buffer_limits(meddler->transport, full, no_limit, NULL);
    rill_memory_peer_set_window(rig->pipe, (struct rill_opt_int)RILL_SET(1));
    rig->still = true;
    EXPECT_INT(rig, rill_transport_write(meddler->transport, bytes, MUCH, NULL), 0);
    EXPECT_INT(rig, meddler->pauses, 1);
    rill_memory_peer_set_window(rig->pipe, no_limit);
    rig->still = false;
}

static void act_write(struct meddler *self)
{
    write_back(self, "inner", 5);
}

static int write_in_pause_writing(void *arg) /* behind the write that paused, not in its middle */
{
    struct rig *const rig = arg;
    char *const bytes = many_bytes();
    struct meddler meddler;

    rig_open_unwatched(rig);
    meddle(&meddler, rig, act_write);
    write_much(rig, &meddler, bytes);
    EXPECT_INT(rig, meddler.written, 0);
    check_heard(rig, bytes, "inner", SSL_ERROR_WANT_READ);
    rig_end_cleanly(rig);
    free(bytes);
    return 0;
}

static void act_close(struct meddler *self)
{
    rill_transport_close(self->transport);
}

static int close_in_pause_writing(void *arg) /* what was written before is flushed */
{
    struct rig *const rig = arg;
    char *const bytes = many_bytes();
    struct meddler meddler;

    rig_open_unwatched(rig);
    meddle(&meddler, rig, act_close);
    write_much(rig, &meddler, bytes);
    check_heard(rig, bytes, "", SSL_ERROR_ZERO_RETURN);
    rig_end_cleanly(rig);
    free(bytes);
    return 0;
}

/* -- the backlog ------------------------------------------------------------------------------ */

static void act_write_much(struct meddler *self)
{
    char *const bytes = many_bytes();
    write_back(self, bytes, MUCH);
    free(bytes);
}

/* A renegotiation has begun on rill's side, so that it can encrypt nothing. */
static void begin_renegotiation(struct rig *rig)
{
    rig->still = true;
    EXPECT_INT(rig, SSL_renegotiate(rig->ssl), 1);
    EXPECT_INT(rig, SSL_do_handshake(rig->ssl), 1);
    EXPECT(rig, rig_carry_to_rill(rig, SIZE_MAX));
    rig_turns(rig);
}

/* The layer below says that it is full while the backlog is encrypted: the protocol hears of that
 * when the backlog is gone, not before, and may not write into what is being read. */
static int write_beside_backlog(void *arg)
{
    struct rig *const rig = arg;
    char *const bytes = many_bytes();
    char *const heard = malloc(HEARD_MAX);
    const struct rill_opt_int zero = RILL_SET(0);
    struct rig_upgrade upgrade = {.rig = rig};
    struct meddler meddler;
    int end;

    rig_open_in_clear(rig);
    struct rill_transport *const below = rill_writer_transport(rig->writer);
    rig_start_tls(&upgrade);
    EXPECT_INT(rig, upgrade.rc, 0);
    meddle(&meddler, rig, act_write_much);
    begin_renegotiation(rig);
    EXPECT_INT(rig, rill_transport_write(meddler.transport, bytes, MUCH, NULL), 0);
    EXPECT_INT(rig, (long long)rill_transport_get_write_buffer_size(below), 0);
    EXPECT_INT(rig, (long long)rill_transport_get_write_buffer_size(meddler.transport), MUCH);
    rill_transport_set_write_buffer_limits(below, zero, zero, NULL);
    rill_memory_peer_set_window(rig->pipe, (struct rill_opt_int)RILL_SET(4000));
    rig->still = false;
    EXPECT_INT(rig, (long long)hear_all(rig, heard, &end), MUCH);
    EXPECT(rig, memcmp(heard, bytes, MUCH) == 0);
    EXPECT_INT(rig, meddler.pauses, 0); /* both layers together never had so much */
    rig_end_cleanly(rig);
    free(heard);
    free(bytes);
    return 0;
}

/* -- out of buffer_updated -------------------------------------------------------------------- */

static void act_pause(struct meddler *self)
{
    rill_transport_pause_reading(self->transport);
}

static int pause_in_buffer_updated(void *arg)
{
    struct rig *const rig = arg;
    static const char said[] = "0123456789abcdefghijABCDEFGHIJ9876543210";
    struct meddler meddler;

    rig_open_unwatched(rig);
    meddle(&meddler, rig, act_pause);
    rig_say(rig, said, sizeof said - 1, sizeof said - 1);
    rig_turns(rig);
    EXPECT_INT(rig, meddler.events, 1);
    EXPECT_INT(rig, (long long)meddler.taken, SMALL);
    rill_transport_resume_reading(meddler.transport);
    rig_turns(rig);
    EXPECT_INT(rig, meddler.events, 4);
    EXPECT_INT(rig, (long long)meddler.taken, 4 * SMALL);
    rig_end_cleanly(rig);
    return 0;
}

static void act_abort(struct meddler *self)
{
    rill_transport_abort(self->transport);
}

static int abort_in_buffer_updated(void *arg)
{
    struct rig *const rig = arg;
    static const char said[] = "0123456789abcdefghijABCDEFGHIJ9876543210";
    struct meddler meddler;

    rig_open_unwatched(rig);
    meddle(&meddler, rig, act_abort);
    rig_say(rig, said, sizeof said - 1, sizeof said - 1);
    rig_turns(rig);
    EXPECT_INT(rig, meddler.events, 1);
    EXPECT_INT(rig, (long long)meddler.taken, SMALL);
    EXPECT_INT(rig, rig_close(rig), 0);
    return 0;
}

/* -- another protocol, set out of an event ---------------------------------------------------- */

static const char forty[] = "0123456789abcdefghijABCDEFGHIJ9876543210";

static void act_nothing(struct meddler *self)
{
    (void)self;
}

static int switch_in_get_buffer(void *arg) /* the event is its own, the next one's the other's */
{
    struct rig *const rig = arg;
    struct meddler first;
    struct meddler second;

    rig_open_unwatched(rig);
    meddle(&first, rig, act_nothing);
    second = first;
    second.base.ops = &streaming_ops;
    first.next = &second.base;
    rig_say(rig, forty, sizeof forty - 1, sizeof forty - 1);
    rig_turns(rig);
    EXPECT_INT(rig, first.events, 1);
    EXPECT_INT(rig, (long long)first.taken, SMALL);
    EXPECT_INT(rig, (long long)second.taken, 3 * SMALL);
    rig_end_cleanly(rig);
    return 0;
}

static void act_switch(struct meddler *self)
{
    rill_transport_set_protocol(self->transport, self->next);
}

/* What does not fit the space is of the same event. */
static int switch_in_buffer_updated(void *arg)
{
    struct rig *const rig = arg;
    struct meddler first;
    struct meddler second;

    rig_open_unwatched(rig);
    meddle(&first, rig, act_nothing);
    second = first;
    first.base.ops = &both_ops;
    first.act = act_switch;
    first.next = &second.base;
    rig_say(rig, forty, sizeof forty - 1, sizeof forty - 1);
    rig_turns(rig);
    EXPECT_INT(rig, (long long)first.taken, 4 * SMALL);
    EXPECT_INT(rig, (long long)second.taken, 0);
    rig_say(rig, forty, sizeof forty - 1, sizeof forty - 1);
    rig_turns(rig);
    EXPECT_INT(rig, (long long)first.taken, 4 * SMALL);
    EXPECT_INT(rig, (long long)second.taken, 4 * SMALL);
    rig_end_cleanly(rig);
    return 0;
}

const struct rig_row reentry_rows[] = {
    {.line = __LINE__, .name = "write_in_pause_writing", .fn = write_in_pause_writing},
    {.line = __LINE__, .name = "close_in_pause_writing", .fn = close_in_pause_writing},
    {.line = __LINE__,
     .name = "write_beside_backlog",
     .fn = write_beside_backlog,
     .version = TLS1_2_VERSION, /* which has renegotiation */
     .client_only = true},
    {.line = __LINE__, .name = "pause_in_buffer_updated", .fn = pause_in_buffer_updated},
    {.line = __LINE__, .name = "abort_in_buffer_updated", .fn = abort_in_buffer_updated},
    {.line = __LINE__, .name = "switch_in_get_buffer", .fn = switch_in_get_buffer},
    {.line = __LINE__, .name = "switch_in_buffer_updated", .fn = switch_in_buffer_updated},
};
const size_t reentry_row_count = sizeof reentry_rows / sizeof reentry_rows[0];
