/* SPDX-License-Identifier: MIT
 *
 * The calls of a task.
 */
#include "near_end.h"

#include <stdlib.h>
#include <string.h>

#include "by_hand.h"
#include "judge.h"

/* Through a small window a large text takes more turns than it is worth. */
enum { SAID_MAX = 1 << 20, WINDOW_SMALL = 255 };

/* -- results ----------------------------------------------------------------------------------- */

/* Later calls repeat a handshake's timeout: what explained it explains them. */
static void note_timeout(struct near_end *self, const struct rill_error *error)
{
    if (strstr(error->text, "is taking longer than") != NULL) {
        self->narrowed = self->narrowed || self->far->narrow;
        self->stalled = self->stalled || !self->narrowed;
    }
}

/* What a stream's calls may say (rill/streams.h), whatever a peer does. */
static int judge_call(struct near_end *self, enum near_op op, int rc)
{
    const struct rill_error *const error = rc < 0 ? rill_task_error() : NULL;

    judge_queue();
    if (rc == RILL_ECANCELLED) {
        self->cancelled = true;
        return rc;
    }
    if (rc < 0) {
        self->failed = true;
        note_timeout(self, error);
        judge_stream_error(rc, error, op == NEAR_START_TLS);
    }
    return rc;
}

static struct rill_transport *transport_of(const struct near_end *self)
{
    return self->writer != NULL ? rill_writer_transport(self->writer) : self->transport;
}

/* -- opening ----------------------------------------------------------------------------------- */

static struct rill_ssl_context *context_of(const struct near_end *self, unsigned number,
                                           bool server_side)
{
    return server_side ? self->material->servers[number % SERVERS]
                       : self->material->clients[number % CLIENTS];
}

static int open_pair(struct near_end *self)
{
    const bool over_tls = self->kind != NEAR_PLAIN;
    const bool server_side = self->kind == NEAR_TLS_SERVER;
    const struct rill_connection_options options = {
        .limit = self->limit,
        .ssl = over_tls ? context_of(self, self->context, server_side) : NULL,
        .server_hostname = over_tls && !server_side ? "localhost" : NULL,
    };
    const struct rill_memory_options memory = {.window = self->window, .server_side = server_side};

    if (over_tls) {
        far_end_expect(self->far, 0);
    }
    return rill_open_memory_connection(&options, &memory, &self->reader, &self->writer,
                                       &self->far->pipe);
}

static int connected(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct near_end *const self = arg;
    self->reader = reader; /* a plain callback's own */
    self->writer = writer;
    return 0;
}

/* Without memory nobody may come. */
static int await_client(const struct near_end *self)
{
    enum { TURNS = 20 };

    for (int i = 0; i < TURNS && self->writer == NULL; i++) {
        const int rc = rill_sleep(0);
        if (rc < 0) {
            return rc;
        }
    }
    if (self->writer == NULL && !judge_lacks_memory()) {
        invariant_nobody_came();
    }
    return self->writer != NULL ? 0 : rill_task_fail(rill_error_no_memory());
}

static void drop_server(struct near_end *self)
{
    if (self->server != NULL) {
        rill_server_close(self->server);
        rill_server_free(self->server);
        self->server = NULL;
    }
}

static int open_server(struct near_end *self)
{
    enum { PORT_OF_CLIENT = 4000 };
    const struct rill_server_options options = {.limit = self->limit, .plain_cb = connected};

    int rc = rill_start_server(NULL, self, "127.0.0.1", "80", &options, &self->server);
    if (rc < 0) {
        return rc;
    }
    self->far->line = kernel_dial(kernel_listener(&self->rig->kernel, 0), PORT_OF_CLIENT);
    far_end_set_window(self->far, self->window);
    rc = await_client(self);
    drop_server(self);
    return rc;
}

int near_end_open(struct near_end *self)
{
    self->users++;
    const int rc = self->kind == NEAR_SERVER           ? open_server(self)
                   : self->kind >= NEAR_BY_HAND_CLIENT ? by_hand_open(self)
                                                       : open_pair(self);
    self->users--;
    self->opened = rc == 0;
    self->secure = rc == 0 && (self->kind == NEAR_TLS_CLIENT || self->kind == NEAR_TLS_SERVER);
    return judge_call(self, NEAR_START_TLS, rc);
}

/* -- reads ------------------------------------------------------------------------------------- */

/* start_tls drains before anything changes. A transport that is lost has no protocol. */
static bool is_unchanged(const struct near_end *self)
{
    const struct rill_protocol *const now = rill_transport_get_protocol(transport_of(self));
    return now == self->protocol || now == NULL;
}

static void hear_text(struct near_end *self, const char *data, size_t size)
{
    if (!self->unordered && !self->garbled) {
        judge_heard(RANDOM_OF_PEER, self->heard, data, size, self->far->said);
    }
    self->heard += size;
}

/* The ClientHello of a far end that did not wait for this is what is read then, behind all that
 * was said before it; asyncio gives it to the reader as well, and the handshake never sees it. */
static void hear_early(struct near_end *self, const char *data, size_t size)
{
    const struct rill_bytes hello = far_end_hello(self->far);
    const size_t clear = self->far->clear;
    const size_t text = self->heard < clear ? clear - self->heard : 0;

    if (hello.len == 0 || size <= text) {
        hear_text(self, data, size);
        return;
    }
    hear_text(self, data, text);
    if (!self->unordered && !self->garbled) {
        judge_hello(hello, self->swallowed, data + text, size - text);
    }
    self->swallowed += size - text;
}

static void hear(struct near_end *self, const char *data, size_t size, bool early)
{
    self->garbled = self->garbled || (self->doubtful && !self->secure);
    if (early) {
        hear_early(self, data, size);
    } else {
        hear_text(self, data, size);
    }
}

void near_end_heard(struct near_end *self, const char *data, size_t size)
{
    hear(self, data, size, false); /* rill_start_tls does not drain */
}

static int call_read(struct near_end *self, enum near_op op, size_t size, struct rill_bytes *data)
{
    if (op == NEAR_READ_EXACTLY) {
        return rill_reader_readexactly(self->reader, (ssize_t)size, data);
    }
    return rill_reader_read(self->reader, op == NEAR_READ ? (ssize_t)size : -1, data);
}

static int read_some(struct near_end *self, enum near_op op, size_t size)
{
    struct rill_bytes data = {NULL, 0};

    if (self->reader == NULL) {
        return rill_sleep(0);
    }
    /* One that waits sees to it that the other is refused; one that collects does not. */
    self->unordered = self->unordered || self->reading > 0;
    self->reading++;
    const bool met_early = self->met_early;
    const bool began_early = op == NEAR_READ_TO_END && (!self->upgrading || is_unchanged(self));
    const int rc = call_read(self, op, size, &data);
    self->reading--;
    const bool early = began_early || met_early || self->met_early || is_unchanged(self);
    if (rc == 0) {
        hear(self, data.ptr, data.len, early);
    } else if (rc == RILL_EINCOMPLETE) {
        const struct rill_bytes partial = rill_reader_error(self->reader)->partial;
        hear(self, partial.ptr, partial.len, early);
        return 0; /* an end, and no failure of the connection */
    }
    return rc;
}

/* -- writes ------------------------------------------------------------------------------------ */

static int call_write(struct near_end *self, enum near_op op, const char *text, size_t size)
{
    const struct rill_bytes parts[] = {{text, size / 2}, {text + size / 2, size - size / 2}};
    const struct rill_error *error = NULL;

    if (self->writer == NULL) {
        const int rc = rill_transport_write(self->transport, text, size, &error);
        return error != NULL ? rill_task_fail(error) : rc;
    }
    return op == NEAR_WRITE ? rill_writer_write(self->writer, text, size)
                            : rill_writer_writelines(self->writer, parts, 2);
}

/* A transport that closes drops what it is given, or takes it behind what still waits. */
static int write_some(struct near_end *self, enum near_op op, size_t size)
{
    if (self->said + size > SAID_MAX || self->closed || self->met_early ||
        (self->upgrading && self->writer == NULL) ||
        rill_transport_is_closing(transport_of(self))) {
        return 0;
    }
    char *const text = judge_text(RANDOM_OF_RILL, self->said, size);
    self->far->said_by_rill = self->said + size;
    const int rc = call_write(self, op, text, size);
    free(text);
    self->said += rc == 0 ? size : 0;
    /* Behind the peer's end a layer of TLS drops it without a word. */
    self->closed = self->closed || self->far->goodbye || self->far->ended;
    /* Without memory for the rest a part may be out, and the connection ends. */
    const bool cut = rc == RILL_ENOMEM && rill_transport_is_closing(transport_of(self));
    self->far->said_by_rill = self->said + (cut ? size : 0);
    self->cut = self->cut || cut;
    return rc;
}

/* -- start_tls --------------------------------------------------------------------------------- */

static struct rill_opt_real timeout_of(unsigned aux)
{
    static const struct rill_opt_real timeouts[] = {{false, 0}, {true, 1}, {true, 0.25}, {true, 0}};
    return timeouts[aux % 4];
}

/* A few that are none are among them. */
static int start_tls(struct near_end *self, unsigned amount, unsigned aux)
{
    const bool server_side = self->kind == NEAR_BY_HAND_SERVER || self->kind == NEAR_SERVER;
    const struct rill_start_tls_options options = {
        .server_hostname = (aux & 16) != 0   ? "127.0.0.99"
                           : (aux & 32) != 0 ? ""
                                             : "localhost",
        .ssl_handshake_timeout = timeout_of(aux),
        .ssl_shutdown_timeout = timeout_of(aux / 4),
        .server_side = server_side && self->kind == NEAR_BY_HAND_SERVER,
    };
    struct rill_ssl_context *const context = amount >= 250 ? NULL
                                             : amount >= 245
                                                 ? rill_ssl_default
                                                 : context_of(self, amount, server_side);
    const bool first = !self->upgrading;
    const bool expected = first && !self->cut; /* nobody knows where TLS would begin: refused */

    if (self->far->depth == FAR_LAYERS_MAX) { /* the far end knows no more */
        return 0;
    }
    const size_t heard_before = self->heard;
    struct rill_transport *const transport = transport_of(self);
    const bool was_closing = rill_transport_is_closing(transport);
    if (first) {
        self->swallowed = self->met_early ? self->swallowed : 0;
        self->protocol = rill_transport_get_protocol(transport_of(self));
    }
    if (expected && !self->met_early) {
        far_end_expect(self->far, self->said);
    }
    self->upgrading = true;
    const int rc = self->writer != NULL ? rill_writer_start_tls(self->writer, context, &options)
                                        : by_hand_start_tls(self, context, &options);
    if (first) {
        self->upgrading = false;
    }
    self->secure = self->secure || rc == 0;
    self->met_early = self->met_early && rc < 0;
    if (rc == 0 && self->heard == heard_before && heard_before < self->far->clear) {
        invariant_clear_text_kept(); /* */
    }
    /* Below a layer of TLS the old one may be gone. */
    const bool is_below = transport_of(self) != transport;
    if (expected && rc < 0 &&
        (!rill_transport_is_closing(transport_of(self)) ||
         (!was_closing && !is_below && rill_transport_get_protocol(transport) == self->protocol))) {
        /* Refused, and the far end may have begun: its handshake is read in clear. */
        self->garbled = far_end_expect_nothing(self->far) || self->garbled;
        self->met_early = false;
    }
    return rc;
}

void near_end_meet_early(struct near_end *self)
{
    if (self->kind == NEAR_SERVER && self->writer != NULL && self->far->depth == 0 &&
        !self->upgrading && !self->met_early && !self->cut) {
        self->met_early = true;
        far_end_expect(self->far, self->said);
    }
}

/* -- the rest ---------------------------------------------------------------------------------- */

static int limit_writing(struct near_end *self, unsigned amount, unsigned aux)
{
    const struct rill_error *error = NULL;
    const struct rill_opt_int high = {(aux & 1) != 0, amount};
    const struct rill_opt_int low = {(aux & 2) != 0, aux >> 2};
    (void)rill_transport_set_write_buffer_limits(transport_of(self), high, low, &error);
    return error != NULL ? rill_task_fail(error) : 0;
}

static int limit_reading(struct near_end *self, unsigned amount, unsigned aux)
{
    const struct rill_error *error = NULL;
    const struct rill_opt_int high = {(aux & 1) != 0, amount};
    const struct rill_opt_int low = {(aux & 2) != 0, aux >> 2};
    (void)rill_ssl_transport_set_read_buffer_limits(transport_of(self), high, low, &error);
    return error != NULL ? rill_task_fail(error) : 0;
}

static void ask(const struct near_end *self)
{
    static const char *const names[] = {"peername", "sslcontext",  "ssl_object", "peercert",
                                        "cipher",   "compression", "socket",     "nonsense"};
    struct rill_transport *const transport = transport_of(self);
    struct rill_extra_info info;
    struct rill_ssl_cipher cipher;
    size_t low;
    size_t high;

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        (void)rill_transport_get_extra_info(transport, names[i], &info);
    }
    (void)rill_ssl_transport_get_read_buffer_limits(transport, &low, &high);
    (void)rill_ssl_transport_get_read_buffer_size(transport);
    rill_transport_get_write_buffer_limits(transport, &low, &high);
    (void)rill_transport_get_write_buffer_size(transport);
    (void)rill_transport_is_reading(transport);
    (void)rill_transport_can_write_eof(transport);
    if (self->writer != NULL) {
        const struct rill_peercert *cert;
        (void)rill_writer_get_peercert(self->writer, &cert);
        (void)rill_writer_get_cipher(self->writer, &cipher);
        (void)rill_writer_tls_end(self->writer);
    }
    judge_queue();
}

static int write_eof(struct near_end *self)
{
    const struct rill_error *error = NULL;

    if (self->writer != NULL) {
        const int rc = rill_writer_write_eof(self->writer);
        self->closed = self->closed || rc == 0;
        return rc;
    }
    const int rc = rill_transport_write_eof(self->transport, &error);
    self->closed = self->closed || rc == 0;
    return error != NULL ? rill_task_fail(error) : rc;
}

static int close_it(struct near_end *self, enum near_op op, unsigned amount)
{
    const struct rill_opt_real seconds = {true, amount / 100.0};

    self->closed = true;
    if (op == NEAR_ABORT) {
        rill_transport_abort(transport_of(self));
    } else if (self->writer == NULL) {
        rill_transport_close(self->transport);
    } else if (op == NEAR_CLOSE_TIMEOUT) {
        rill_writer_set_close_timeout(self->writer, seconds);
    } else {
        rill_writer_close(self->writer);
    }
    return 0;
}

static int wait_for(struct near_end *self, enum near_op op)
{
    if (self->writer == NULL) {
        return rill_sleep(0);
    }
    return op == NEAR_DRAIN ? rill_writer_drain(self->writer)
                            : rill_writer_wait_closed(self->writer);
}

static int perform(struct near_end *self, enum near_op op, unsigned amount, unsigned aux)
{
    const bool large = aux % 4 == 3 && (!self->window.given || self->window.value > WINDOW_SMALL);
    const size_t size = amount << (large ? 8 : 0);

    switch (op) {
    case NEAR_READ:
    case NEAR_READ_EXACTLY:
    case NEAR_READ_TO_END:
        return read_some(self, op, size);
    case NEAR_WRITE:
    case NEAR_WRITE_LINES:
        return write_some(self, op, size);
    case NEAR_DRAIN:
    case NEAR_WAIT_CLOSED:
        return wait_for(self, op);
    case NEAR_START_TLS:
        return start_tls(self, amount, aux);
    case NEAR_WRITE_EOF:
        return write_eof(self);
    case NEAR_CLOSE:
    case NEAR_ABORT:
    case NEAR_CLOSE_TIMEOUT:
        return close_it(self, op, amount);
    case NEAR_PAUSE:
        self->paused = true;
        return rill_transport_pause_reading(transport_of(self));
    case NEAR_RESUME:
        rill_transport_resume_reading(transport_of(self));
        return 0;
    case NEAR_WRITE_LIMITS:
        return limit_writing(self, amount, aux);
    case NEAR_READ_LIMITS:
        return limit_reading(self, amount, aux);
    case NEAR_SLEEP:
        return rill_sleep(amount / 4.0);
    default:
        ask(self);
        return 0;
    }
}

int near_end_perform(struct near_end *self, enum near_op op, unsigned amount, unsigned aux)
{
    if (transport_of(self) == NULL) {
        return 0;
    }
    const bool failed = self->failed;
    self->users++;
    const int rc = judge_call(self, op, perform(self, op, amount, aux));
    self->users--;
    /* These refuse, and nothing has happened. */
    if (op == NEAR_WRITE_EOF || op == NEAR_WRITE_LIMITS || op == NEAR_READ_LIMITS ||
        rc == RILL_ERUNTIME) {
        self->failed = failed;
    }
    return rc;
}

int near_end_finish(struct near_end *self)
{
    int rc = 0;

    if (self->writer == NULL) {
        if (self->transport != NULL) {
            rill_transport_resume_reading(self->transport);
            rill_transport_close(self->transport);
        }
        return 0;
    }
    rill_transport_resume_reading(transport_of(self));
    for (size_t before = self->heard + 1; rc == 0 && before != self->heard;) {
        before = self->heard;
        rc = near_end_perform(self, NEAR_READ, 255, 3);
    }
    rill_writer_close(self->writer);
    rc = rill_writer_wait_closed(self->writer);
    return judge_call(self, NEAR_WAIT_CLOSED, rc);
}

void near_end_cleanup(struct near_end *self)
{
    drop_server(self);
    rill_writer_free(self->writer);
    self->writer = NULL;
    self->reader = NULL;
    rill_transport_unref(self->transport);
    self->transport = NULL;
}
