/* SPDX-License-Identifier: MIT
 *
 * The protocols of the target protocol. Each callback is judged by its place in the order that the
 * header promises, and does what the input says: raises, writes, pauses, closes, hands the
 * connection to another protocol.
 */
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/protocol.h"

/* -- what must not be ------------------------------------------------------------------------ */

static _Noreturn void invariant_order(const struct protocol_run *run, const char *what)
{
    rig_print(run->rig);
    (void)fprintf(stderr, "a protocol was told at the wrong time: %s\n", what);
    abort();
}

static _Noreturn void invariant_told_all(const struct told *told)
{
    rig_print(told->run->rig);
    (void)fprintf(stderr, "%zu bytes sent, but %zu unread, and the protocol was told of %zu\n",
                  told->books.sent, told->books.peer_ops->unread(told->books.peer),
                  told->books.consumed);
    abort();
}

static _Noreturn void invariant_space(const struct face *face, size_t count)
{
    rig_print(face->run->rig);
    (void)fprintf(stderr, "%zu bytes in a space of %zu\n", count, face->offered);
    abort();
}

static _Noreturn void invariant_loss_is_told(const struct told *told)
{
    rig_print(told->run->rig);
    (void)fprintf(stderr, "connection %zu was made and never lost\n",
                  (size_t)(told - told->run->connections));
    abort();
}

/* -- what a callback does -------------------------------------------------------------------- */

uint8_t told_mood(struct protocol_run *run)
{
    return run->moods[run->mood++ % PROTOCOL_MOODS];
}

bool told_in_clear(const struct protocol_run *run)
{
    return run->arguments.ssl == SSL_NONE;
}

/* As of perform.c: what is written while the transport closes is taken behind what still waits, and
 * by resume_writing also when nothing waits any more: it is not lost yet. */
void told_write(struct told *told, size_t size, bool as_lines)
{
    struct connection *on = &told->books;
    struct rill_transport *transport = told->transport;
    const bool taken = !rill_transport_is_closing(transport) || told->resuming ||
                       rill_transport_get_write_buffer_size(transport) > 0;
    if (on->written + size > TEXT_SIZE) {
        return;
    }
    const char *data = text_at(on->written);
    const struct rill_bytes parts[] = {{data, size / 2}, {data + size / 2, size - size / 2}};
    on->written += taken ? size : 0; /* before the call: what it tells the protocol may write */
    const int rc = as_lines ? rill_transport_writelines(transport, parts, 2, NULL)
                            : rill_transport_write(transport, data, size, NULL);
    if (rc != 0 && taken) {
        on->written -= size;
    }
}

/* What came while a protocol without functions had the connection went to nobody: the next one
 * hears what comes behind it. */
static void leave_deaf(struct told *told)
{
    struct connection *on = &told->books;
    if (told->face != NULL && told->face->protocol.ops->connection_lost == NULL &&
        on->peer != NULL) {
        on->consumed = on->sent - on->peer_ops->unread(on->peer);
    }
}

void told_set_next_protocol(struct told *told)
{
    struct rill_protocol *next = told_factory(told->run);
    if (next == NULL || told->lost) {
        return;
    }
    struct face *face = (struct face *)(void *)next; /* its first member */
    leave_deaf(told);
    face->told = told;
    told->face = face;
    told->made = true;   /* also one that a protocol without functions had */
    told->ended = false; /* the next one has not heard of it */
    told->deaf = told->deaf || next->ops->connection_lost == NULL;
    rill_transport_set_protocol(told->transport, next);
    if (rill_transport_get_protocol(told->transport) != next) {
        invariant_order(told->run, "set_protocol has set another");
    }
}

static int raise(struct told *told, uint8_t mood)
{
    told->books.aborted = true;
    return (mood & 16u) != 0 ? RILL_ENOMEM : RILL_EUSER;
}

/* A result below 0 is an exception of the callback, where it can raise one. */
static int behave(struct told *told)
{
    const uint8_t mood = told_mood(told->run);
    if (told->transport == NULL) {
        return 0;
    }
    switch (mood & 15u) {
    case 8:
        return raise(told, mood);
    case 9:
        (void)rill_transport_pause_reading(told->transport);
        return 0;
    case 10:
        told_write(told, mood, (mood & 16u) != 0);
        return 0;
    case 11:
        rill_transport_close(told->transport);
        return 0;
    case 12:
        told->books.aborted = true;
        rill_transport_abort(told->transport);
        return 0;
    case 13:
        told_set_next_protocol(told);
        return 0;
    case 14:
        rill_transport_resume_reading(told->transport);
        return 0;
    case 15:
        (void)rill_transport_write_eof(told->transport, NULL);
        return 0;
    default:
        return 0;
    }
}

/* -- whose connection ------------------------------------------------------------------------ */

/* The far end of a client's own socket, or NULL: of a server's it is known since it connected. */
static struct kernel_wire *far_end_of(struct protocol_run *run, struct rill_transport *transport)
{
    struct rill_extra_info info;
    (void)rill_transport_get_extra_info(transport, "socket", &info);
    return kernel_peer_of(kernel_socket_of(&run->rig->kernel, info.socket));
}

static struct told *told_of(struct protocol_run *run, struct rill_transport *transport)
{
    struct rill_extra_info info;
    struct told *told = &run->connections[0];
    if ((run->arguments.call & CALL_SERVER) == 0) {
        told->books.peer = far_end_of(run, transport);
        told->books.peer_ops = &kernel_peer_ops;
        return told->books.peer != NULL ? told : NULL;
    }
    if (!rill_transport_get_extra_info(transport, "peername", &info) ||
        info.address.family != AF_INET) {
        return NULL;
    }
    const int index = info.address.port - PROTOCOL_PORTS;
    if (index < 0 || (size_t)index >= run->count) {
        invariant_order(run, "connection_made with a peer that nobody is");
    }
    return &run->connections[index];
}

struct told *told_of_pair(struct protocol_run *run, struct rill_reader *reader,
                          struct rill_writer *writer)
{
    static const size_t standard = 65536;
    struct told *told = told_of(run, rill_writer_transport(writer));
    if (told != NULL) {
        told->books.reader = reader;
        told->books.writer = writer;
        told->books.limit = run->arguments.limit == 1 ? 10 : standard;
        told->books.unbounded = !told_in_clear(run);
        told->books.unordered = !told_in_clear(run);
    }
    return told;
}

/* -- callbacks ------------------------------------------------------------------------------- */

static struct face *face_of(struct rill_protocol *self)
{
    return (struct face *)(void *)self; /* its first member */
}

/* The connection of a face that may be told things now. */
static struct told *live(struct rill_protocol *self, const char *what)
{
    const struct face *face = face_of(self);
    if (face->told == NULL || !face->told->made || face->told->lost || face->told->face != face) {
        invariant_order(face->run, what);
    }
    return face->told;
}

static void connection_made(struct rill_protocol *self, struct rill_transport *transport)
{
    struct face *face = face_of(self);
    struct told *told = told_of(face->run, transport);
    if (told == NULL) { /* the kernel does not tell who it is */
        rill_transport_abort(transport);
        return;
    }
    if (told->made || face->told != NULL) {
        invariant_order(face->run, "connection_made twice");
    }
    face->told = told;
    told->face = face;
    told->made = true;
    told->transport = rill_transport_ref(transport);
    (void)behave(told);
}

static void take_data(struct told *told, struct rill_bytes data)
{
    if (told->ended || data.len == 0) {
        invariant_order(told->run, "no data, or data behind the end");
    }
    if (told_in_clear(told->run)) {
        connection_dropped(&told->books, data.ptr, data.len);
    }
}

static int data_received(struct rill_protocol *self, struct rill_bytes data)
{
    struct face *face = face_of(self);
    /* What did not fit a space is the same event's and for the same protocol, whatever it set. */
    const bool rest = face->told != NULL && face->told->filled == face && !face->told->lost;
    struct told *told = rest ? face->told : live(self, "data_received");
    told->filled = NULL;
    if (self->ops->data_received == NULL) {
        invariant_order(told->run, "data_received of a protocol that has none");
    }
    take_data(told, data);
    return behave(told);
}

static size_t get_buffer(struct rill_protocol *self, size_t hint, char **space)
{
    struct told *told = live(self, "get_buffer");
    struct face *face = face_of(self);
    const uint8_t mood = told_mood(told->run);
    const bool part = (mood & 1u) != 0 && !told->generous;
    (void)hint;
    face->offered = part ? 1u + (mood >> 1) % sizeof face->space : sizeof face->space;
    if (mood == 128) { /* none now: for a protocol without data_received that is the end */
        face->offered = 0;
        told->books.aborted = true;
    }
    *space = face->space;
    return face->offered;
}

static int buffer_updated(struct rill_protocol *self, size_t count)
{
    struct told *told = live(self, "buffer_updated");
    const struct face *face = face_of(self);
    const struct rill_bytes data = {face->space, count};
    if (count > face->offered) {
        invariant_space(face, count);
    }
    take_data(told, data);
    told->filled = face_of(self);
    return behave(told);
}

static int eof_received(struct rill_protocol *self)
{
    struct told *told = live(self, "eof_received");
    if (told->ended && !told->deaf) {
        invariant_order(told->run, "eof_received twice");
    }
    told->ended = true;
    const int rc = behave(told);
    return rc < 0 ? rc : told_mood(told->run) & 1;
}

static void connection_lost(struct rill_protocol *self, const struct rill_error *error)
{
    struct face *face = face_of(self);
    struct told *told = face->told;
    (void)error;
    if (told == NULL) { /* a server's that got no connection, or a handshake that failed */
        return;
    }
    (void)live(self, "connection_lost");
    told->lost = true;
    (void)behave(told);
}

static void pause_writing(struct rill_protocol *self)
{
    struct told *told = live(self, "pause_writing");
    if (told->paused && !told->deaf) {
        invariant_order(told->run, "pause_writing twice");
    }
    told->paused = true;
    (void)behave(told);
}

static void resume_writing(struct rill_protocol *self)
{
    struct told *told = live(self, "resume_writing");
    if (!told->paused && !told->deaf) {
        invariant_order(told->run, "resume_writing without a pause");
    }
    told->paused = false;
    told->resuming = true;
    (void)behave(told);
    told->resuming = false;
}

static const struct rill_protocol_ops tables[] = {
    {.connection_made = connection_made,
     .data_received = data_received,
     .eof_received = eof_received,
     .connection_lost = connection_lost,
     .pause_writing = pause_writing,
     .resume_writing = resume_writing},
    {.connection_made = connection_made,
     .get_buffer = get_buffer,
     .buffer_updated = buffer_updated,
     .eof_received = eof_received,
     .connection_lost = connection_lost,
     .pause_writing = pause_writing,
     .resume_writing = resume_writing},
    {.connection_made = connection_made,
     .data_received = data_received,
     .get_buffer = get_buffer,
     .buffer_updated = buffer_updated,
     .eof_received = eof_received,
     .connection_lost = connection_lost,
     .pause_writing = pause_writing,
     .resume_writing = resume_writing},
    {.connection_made = NULL},
};
enum { TABLES = sizeof tables / sizeof tables[0], OUT_OF_MEMORY = 255 };

struct rill_protocol *told_factory(void *arg)
{
    struct protocol_run *run = arg;
    const uint8_t mood = told_mood(run);
    if (run->faces_made == PROTOCOL_FACES || mood == OUT_OF_MEMORY) {
        run->refused = true;
        return NULL;
    }
    struct face *face = &run->faces[run->faces_made++];
    face->run = run;
    face->protocol.ops = &tables[mood % TABLES];
    return &face->protocol;
}

/* -- invariants ------------------------------------------------------------------------------ */

void told_check(const struct told *told)
{
    const struct connection *on = &told->books;
    const bool hears = told->made && !told->lost && !told->deaf && on->peer != NULL;
    if (hears && told_in_clear(told->run) && told->run->rig->allocations.failed == 0 &&
        on->reader == NULL && !rill_transport_is_closing(told->transport) &&
        on->sent != on->peer_ops->unread(on->peer) + on->consumed) {
        invariant_told_all(told);
    }
}

void told_check_end(const struct told *told)
{
    if (told->made && !told->lost && !told->deaf) {
        invariant_loss_is_told(told);
    }
}
