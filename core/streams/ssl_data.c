/* SPDX-License-Identifier: MIT
 *
 * The data of a TLS layer: plaintext on its way down, encrypted and handed on at once, and on its
 * way up, one event above for one below; and the flow control of both ways.
 */
#include "sansio/memory.h"
#include "streams/ssl_private.h"

#define ENCRYPT_MAX           ((size_t)256 * 1024) /* plaintext that is encrypted before it is sent */
#define RECORD_MAX            ((size_t)16384)      /* plaintext of one record */
#define IN_ROOM_MAX           (4 * RECORD_MAX) /* plaintext whose records the loop's room holds */
#define ANSWERS_MAX           ((size_t)65536)  /* bytes: some 2,400 key updates */
#define LOST_WRITES_THRESHOLD 5                /* asyncio's LOG_THRESHOLD_FOR_CONNLOST_WRITES */

/* -- flow control ---------------------------------------------------------------------------- */

size_t rill__ssl_unsent(const struct rill__ssl *self)
{
    return rill__buffer_length(&self->backlog) +
           (self->below != NULL ? rill_transport_get_write_buffer_size(self->below) : 0);
}

static void apply_flow(struct rill__ssl *self, enum rill__flow_event event)
{
    struct rill_protocol *protocol = self->protocol;

    if (protocol == NULL) {
        return;
    }
    if (event == RILL__FLOW_PAUSE && protocol->ops->pause_writing != NULL) {
        protocol->ops->pause_writing(protocol);
    } else if (event == RILL__FLOW_RESUME && protocol->ops->resume_writing != NULL) {
        protocol->ops->resume_writing(protocol);
    }
}

void rill__ssl_control_writing(struct rill__ssl *self)
{
    const size_t size = rill__ssl_unsent(self);

    if (self->encrypting) { /* a write of the protocol's own would get between the records */
        return;
    }
    apply_flow(self, rill__water_grew(&self->water, size));
    apply_flow(self, rill__water_shrank(&self->water, size));
}

/* */
void rill__ssl_control_reading(struct rill__ssl *self)
{
    const size_t size = rill__tls_incoming(self->session);

    if (self->below == NULL) {
        return;
    }
    if (size > 0 && size >= self->read_water.high && !self->below_reading_paused) {
        self->below_reading_paused = true;
        rill_transport_pause_reading(self->below);
    } else if (size <= self->read_water.low && self->below_reading_paused) {
        self->below_reading_paused = false;
        rill_transport_resume_reading(self->below);
    }
}

/* -- out ------------------------------------------------------------------------------------- */

/* Hands ciphertext down. It queues there, and its marks are ours, so nothing is held back here. */
void rill__ssl_send_outgoing(struct rill__ssl *self)
{
    struct rill__buffer outgoing;
    const struct rill_error *error = NULL;

    rill__tls_take_outgoing(self->session, &outgoing);
    const struct rill_bytes bytes = {rill__buffer_data(&outgoing), rill__buffer_length(&outgoing)};
    if (bytes.len > 0 && self->below != NULL) {
        error = self->below->ops->write(self->below, bytes);
    }
    rill__buffer_cleanup(&outgoing);
    if (error != NULL) { /* a hole in the stream: it cannot go on */
        rill__ssl_fatal(self, error, "Fatal error on SSL protocol");
    }
}

void rill__ssl_process_outgoing(struct rill__ssl *self)
{
    if (rill__tls_outgoing(self->session) > 0) {
        rill__ssl_send_outgoing(self);
    }
    rill__ssl_control_writing(self);
}

struct encryption {
    struct rill_ssl_object *session;
    struct rill_bytes piece;
    size_t count;
    const struct rill_error *error;
    enum rill__tls_result result;
    const struct rill_error *sending; /* of send_room */
};

static void run_encryption(void *arg)
{
    struct encryption *self = arg;
    self->result = rill__tls_write(self->session, self->piece, &self->count, &self->error);
}

/* Some records, sent from the loop's room: no memory is asked for, and none given back to the
 * system and asked for again with each write. What is called meanwhile and encrypts too has no
 * room. */
static void send_room(struct rill__ssl *self, struct encryption *work, const char *room)
{
    const struct rill_bytes records = {room, rill__tls_return_room(self->session)};

    if (records.len > 0 && work->result != RILL__TLS_FAILED) {
        self->base.loop->room_lent = true;
        work->sending = self->below->ops->write(self->below, records);
        self->base.loop->room_lent = false;
    }
}

/* Encrypts and sends; alone: nothing is to be sent together with it. *taken bytes are done for
 * good; fewer than data.len when the session wants input first. False: fatal. A transport below
 * that is lost drops and counts the write, one for each call here. */
static bool encrypt(struct rill__ssl *self, struct rill_bytes data, bool alone, size_t *taken)
{
    struct encryption work = {.session = self->session};
    struct rill_loop *loop = self->base.loop;
    char *room = loop->spare + RILL__SPARE_SIZE;
    const bool at_once = alone && data.len <= IN_ROOM_MAX && !loop->room_lent &&
                         rill__tls_outgoing(self->session) == 0;

    *taken = 0;
    self->encrypting = true;
    while (*taken < data.len && (*taken == 0 || !rill_transport_is_closing(self->below))) {
        const size_t rest = data.len - *taken;
        work.piece.ptr = data.ptr + *taken;
        work.piece.len = rest < ENCRYPT_MAX ? rest : ENCRYPT_MAX;
        if (at_once) {
            rill__tls_lend_room(self->session, room, RILL__ROOM_SIZE);
        }
        rill__on_loop_stack(loop, run_encryption, &work); /* a task's stays one page */
        if (at_once) {
            send_room(self, &work, room);
        }
        if (work.result != RILL__TLS_OK) {
            break;
        }
        *taken += work.count;
        if (rest > ENCRYPT_MAX) {
            rill__ssl_send_outgoing(self);
        }
    }
    self->encrypting = false;
    if (work.result == RILL__TLS_OK) {
        *taken = data.len; /* or the connection is lost below, and so are the bytes */
    } else if (work.result != RILL__TLS_WANT) {
        rill__ssl_fatal(self, work.error, "Fatal error on SSL protocol");
    }
    if (work.sending != NULL) { /* a hole in the stream: it cannot go on */
        rill__ssl_fatal(self, work.sending, "Fatal error on SSL protocol");
    }
    return work.result == RILL__TLS_OK || work.result == RILL__TLS_WANT;
}

void rill__ssl_push_backlog(struct rill__ssl *self)
{
    const struct rill_bytes rest = {rill__buffer_data(&self->backlog),
                                    rill__buffer_length(&self->backlog)};
    size_t taken;

    if (rest.len == 0 && (rill__tls_outgoing(self->session) == 0 || self->answers_soon)) {
        return;
    }
    if (rest.len > 0 && encrypt(self, rest, true, &taken)) {
        rill__buffer_discard(&self->backlog, taken);
        rill__buffer_shrink(&self->backlog, 0);
    }
    rill__ssl_process_outgoing(self);
}

static const struct rill_error *write_part(struct rill__ssl *self, struct rill_bytes data,
                                           bool alone)
{
    size_t taken = 0;

    if (data.len == 0) {
        return NULL;
    }
    if (self->state == RILL__SSL_WRAPPED && rill__buffer_length(&self->backlog) == 0 &&
        !encrypt(self, data, alone, &taken)) {
        return NULL; /* the connection's failure: drain and the reader tell */
    }
    return taken < data.len &&
                   rill__buffer_append(&self->backlog, data.ptr + taken, data.len - taken) < 0
               ? rill_error_no_memory()
               : NULL;
}

/* asyncio's _write_appdata. */
const struct rill_error *rill__ssl_write(struct rill__ssl *self, const struct rill_bytes *parts,
                                         size_t count)
{
    const struct rill_error *error = NULL;

    if (self->state != RILL__SSL_WRAPPED && self->state != RILL__SSL_HANDSHAKE) { /* */
        if (self->lost_writes >= LOST_WRITES_THRESHOLD) {
            rill__log(self->base.loop, RILL_LOG_WARNING, "SSL connection is closed");
        }
        self->lost_writes++;
        return NULL;
    }
    rill_transport_ref(&self->base);
    for (size_t i = 0; i < count && error == NULL; i++) {
        error = write_part(self, parts[i], count == 1);
    }
    if (error !=
        NULL) { /* a part of it may be encrypted: the stream cannot go on without the rest */
        rill__ssl_fatal(self, rill_error_ref(error), "Fatal error on SSL protocol");
    }
    rill__ssl_process_outgoing(self);
    rill_transport_unref(&self->base);
    return error;
}

/* -- in -------------------------------------------------------------------------------------- */

/* Plaintext on its way up. What comes from one event below is one event above: what fits
 * the protocol's own space goes straight there, the rest is collected for its data_received. A
 * protocol without that gets it in further events, as asyncio's BufferedProtocol. */
struct delivery {
    struct rill__buffer rest;
    char *space;
    size_t size;
    size_t filled;
    enum rill__tls_result result;
    const struct rill_error *error;
};

static void decrypt(struct rill__ssl *self, struct delivery *delivery)
{
    size_t count;

    delivery->filled = 0;
    while (delivery->result == RILL__TLS_OK && delivery->filled < delivery->size) {
        delivery->result =
            rill__tls_read(self->session, delivery->space + delivery->filled,
                           delivery->size - delivery->filled, &count, &delivery->error);
        delivery->filled += count;
        if (delivery->result == RILL__TLS_OK && !rill__tls_may_have_more(self->session)) {
            delivery->result = RILL__TLS_WANT;
        }
    }
}

static void decrypt_rest(struct rill__ssl *self, struct delivery *delivery)
{
    while (delivery->result == RILL__TLS_OK) {
        if (rill__buffer_space(&delivery->rest, RECORD_MAX, &delivery->space, &delivery->size) <
            0) {
            delivery->result = RILL__TLS_FAILED;
            delivery->error = rill_error_no_memory();
            return;
        }
        decrypt(self, delivery);
        if (delivery->filled > 0) {
            rill__buffer_filled(&delivery->rest, delivery->filled);
        }
    }
}

/* All of the event is for the protocol that gave the space, also when its callback sets another.
 * Below 0: the protocol's failure. */
static int hand_up(const struct rill__ssl *self, struct rill_protocol *protocol,
                   const struct delivery *delivery, size_t in_space)
{
    const struct rill_bytes rest = {rill__buffer_data(&delivery->rest),
                                    rill__buffer_length(&delivery->rest)};
    const int rc = in_space > 0 ? protocol->ops->buffer_updated(protocol, in_space) : 0;

    if (rc == 0 && rest.len > 0 && !self->gone && protocol->ops->data_received != NULL) {
        return protocol->ops->data_received(protocol, rest);
    }
    return rc;
}

static int decrypt_all(struct rill__ssl *self, struct delivery *delivery)
{
    struct rill_protocol *protocol = self->protocol;
    const struct rill_protocol_ops *ops = protocol->ops;
    const size_t waiting = rill__tls_incoming(self->session);
    const size_t hint = waiting < RILL__SSL_READ_HIGH_WATER ? waiting : RILL__SSL_READ_HIGH_WATER;

    if (ops->get_buffer != NULL) {
        delivery->size = ops->get_buffer(protocol, hint > 0 ? hint : 1, &delivery->space);
    }
    decrypt(self, delivery);
    const size_t in_space = delivery->filled;
    if (delivery->result == RILL__TLS_OK && ops->data_received == NULL) { /* the next event's */
        if (in_space == 0) {
            return RILL_ENOMEM; /* it has no space, and no other way */
        }
        rill__ready(self->base.loop, &self->resume);
    } else {
        decrypt_rest(self, delivery);
    }
    /* What came with a broken record is dropped with it. */
    return delivery->result != RILL__TLS_FAILED ? hand_up(self, protocol, delivery, in_space) : 0;
}

/* A peer that asks for answers and reads none of them would fill the layer below, whatever the
 * protocol above does. */
static bool answers_too_much(struct rill__ssl *self)
{
    if (self->below == NULL || rill_transport_get_write_buffer_size(self->below) == 0) {
        self->answers = 0;
    }
    self->answers += rill__tls_outgoing(self->session);
    return self->answers > ANSWERS_MAX;
}

static void deliver(struct rill__ssl *self)
{
    struct delivery delivery = {.result = RILL__TLS_OK};

    rill__buffer_init(&delivery.rest);
    const int rc = decrypt_all(self, &delivery);
    rill__buffer_cleanup(&delivery.rest);
    if (rc < 0) {
        rill_error_unref(delivery.error);
        rill__ssl_fatal(self, rill__error_of_code(rc), "Fatal error on SSL protocol");
    } else if (delivery.result == RILL__TLS_FAILED) {
        rill__ssl_send_outgoing(self); /* the alert */
        rill__ssl_fatal(self, delivery.error, "Fatal error on SSL protocol");
    } else if (delivery.result == RILL__TLS_CLOSED) {
        self->end = RILL_TLS_CLEAN;
        rill__ssl_call_eof_received(self);
        rill__ssl_start_shutdown(self);
    } else if (answers_too_much(self)) {
        rill__ssl_fatal(self, rill_error_new(RILL_ESSL, "the peer asks for more than it reads"),
                        "Fatal error on SSL protocol");
    }
}

void rill__ssl_do_read(struct rill__ssl *self)
{
    if (self->state != RILL__SSL_WRAPPED && self->state != RILL__SSL_FLUSHING) {
        return;
    }
    if (!self->app_reading_paused && self->protocol != NULL) {
        deliver(self);
        rill__ssl_push_backlog(self);
    }
}

void rill__ssl_run_resume(struct rill__entry *entry)
{
    struct rill__ssl *self = rill__container(entry, struct rill__ssl, resume);

    rill_transport_ref(&self->base);
    if (self->state == RILL__SSL_WRAPPED) {
        rill__ssl_do_read(self);
    } else if (self->state == RILL__SSL_FLUSHING) { /* */
        rill__ssl_do_flush(self);
    } else if (self->state == RILL__SSL_SHUTDOWN) {
        rill__ssl_do_shutdown(self);
    }
    rill__ssl_control_reading(self);
    rill_transport_unref(&self->base);
}

void rill__ssl_resume_reading(struct rill__ssl *self)
{
    if (self->app_reading_paused) {
        self->app_reading_paused = false;
        rill__ready(self->base.loop, &self->resume);
    }
}
