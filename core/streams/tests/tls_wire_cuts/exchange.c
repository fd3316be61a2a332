/* SPDX-License-Identifier: MIT
 *
 * rill's side of an exchange, top to bottom.
 */
#include "exchange.h"

#include <string.h>

#define PATIENCE_S       100 /* of the program that reads; longer than the handshake's timeout */
#define CLOSE_DEADLINE_S 40  /* Q-28; longer than the shutdown's timeout */

/* -- verdicts --------------------------------------------------------------------------------- */

static int note(struct run *run, enum phase phase, double began, int rc)
{
    struct verdict *const verdict = &run->verdicts[phase];
    const struct rill_error *const error = rc < 0 ? rill_task_error() : NULL;

    verdict->given = true;
    verdict->code = rc;
    verdict->seconds = run->wire.now - began;
    snprintf(verdict->text, sizeof verdict->text, "%s", error != NULL ? error->text : "");
    return rc;
}

static void note_closing(void *arg)
{
    struct run *const run = arg;
    const char *said;
    if (!run->closing_began && run->wire.pipe != NULL) {
        run->closing_began = true;
        run->closing.from_peer = peer_output(&run->peer, &said);
        run->closing.from_rill = rill_memory_peer_received(run->wire.pipe).len;
    }
}

static void give_up(void *arg)
{
    struct run *const run = arg;
    rill_task_cancel(run->task);
    if (run->transport != NULL) {
        rill_transport_abort(run->transport);
    }
}

/* -- a protocol of ours ----------------------------------------------------------------------- */

static struct run *of(struct rill_protocol *protocol)
{
    return (struct run *)((char *)protocol - offsetof(struct run, talker));
}

static int talker_data(struct rill_protocol *protocol, struct rill_bytes data)
{
    return rill_reader_feed_data(of(protocol)->reader, data.ptr, data.len);
}

static int talker_eof(struct rill_protocol *protocol)
{
    rill_reader_feed_eof(of(protocol)->reader);
    return 0;
}

static void talker_lost(struct rill_protocol *protocol, const struct rill_error *error)
{
    struct run *const run = of(protocol);
    if (error != NULL) {
        rill_reader_set_exception(run->reader, error);
        rill_reader_set_exception(run->loss, error);
    } else {
        rill_reader_feed_eof(run->reader);
        rill_reader_feed_eof(run->loss);
    }
}

static const struct rill_protocol_ops talker_ops = {
    .data_received = talker_data,
    .eof_received = talker_eof,
    .connection_lost = talker_lost,
};

/* -- opening ---------------------------------------------------------------------------------- */

static bool is_server(const struct run *run)
{
    return run->exchange->role == ROLE_SERVER || run->exchange->role == ROLE_START_TLS_SERVER;
}

static bool starts_tls(const struct run *run)
{
    return run->exchange->role == ROLE_START_TLS_CLIENT ||
           run->exchange->role == ROLE_START_TLS_SERVER;
}

static int open_stream(struct run *run)
{
    const bool secure = !starts_tls(run);
    const struct rill_memory_options memory = {
        .window = wire_window(&run->wire),
        .server_side = is_server(run),
    };
    const struct rill_connection_options options = {
        .ssl = !secure          ? NULL
               : is_server(run) ? run->material->server
                                : run->material->client,
        .server_hostname = secure && !is_server(run) ? "localhost" : NULL,
    };
    const int rc =
        rill_open_memory_connection(&options, &memory, &run->reader, &run->writer, &run->wire.pipe);
    if (rc == 0) {
        run->transport = rill_writer_transport(run->writer);
    }
    return rc;
}

static int open_transport(struct run *run)
{
    const struct rill_opt_int usual = {.given = false};
    const struct rill_memory_options memory = {.window = wire_window(&run->wire)};

    run->talker.ops = &talker_ops;
    watch_init(&run->watch, &run->talker);
    if (rill_reader_new(usual, &run->reader) < 0 || rill_reader_new(usual, &run->loss) < 0) {
        return RILL_ENOMEM;
    }
    return rill_memory_transport_new(rill_running_loop(), &run->watch.base, &memory,
                                     &run->transport, &run->wire.pipe);
}

/* -- in either kind's words ------------------------------------------------------------------- */

static void say(struct run *run, const char *text)
{
    rill_transport_write(run->transport, text, strlen(text), NULL);
}

/* A line that must be `expected`, or its beginning where the stream ends early. */
static int hear_line(struct run *run, enum phase phase, const char *expected)
{
    const double began = run->wire.now;
    struct rill_timeout scope;
    struct rill_bytes line = {NULL, 0};

    rill_timeout_enter(&scope, PATIENCE_S);
    const int rc = rill_timeout_exit(&scope, rill_reader_readline(run->reader, &line));
    note(run, phase, began, rc);
    if (rc < 0) {
        return rc;
    }
    run->garbled = run->garbled || line.len > strlen(expected) ||
                   (line.len > 0 && memcmp(line.ptr, expected, line.len) != 0);
    run->verdicts[phase].is_short = line.len < strlen(expected);
    return run->verdicts[phase].is_short ? -1 : 0;
}

static void hear_end(struct run *run)
{
    const double began = run->wire.now;
    struct rill_timeout scope;
    struct rill_bytes rest = {NULL, 0};

    rill_timeout_enter(&scope, PATIENCE_S);
    note(run, PHASE_READ_END, began,
         rill_timeout_exit(&scope, rill_reader_read(run->reader, -1, &rest)));
    run->garbled = run->garbled || rest.len > 0;
}

static int upgrade(struct run *run)
{
    const double began = run->wire.now;
    struct rill_transport *made = NULL;
    int rc;

    if (run->writer != NULL) {
        const struct rill_start_tls_options options = {.server_hostname = "localhost"};
        rc = rill_writer_start_tls(run->writer, run->material->client, &options);
        run->transport = rill_writer_transport(run->writer);
    } else {
        const struct rill_start_tls_options options = {.server_side = true};
        rc = rill_start_tls(run->transport, &run->watch.base, run->material->server, &options,
                            &made);
        run->transport = rc == 0 ? made : run->transport;
    }
    return note(run, PHASE_START_TLS, began, rc);
}

static int wait_closed(struct run *run)
{
    struct rill_bytes nothing;
    return run->writer != NULL ? rill_writer_wait_closed(run->writer)
                               : rill_reader_read(run->loss, -1, &nothing);
}

/* -- the exchange ----------------------------------------------------------------------------- */

static int open_side(struct run *run)
{
    const double began = run->wire.now;
    const int rc =
        run->exchange->role == ROLE_START_TLS_SERVER ? open_transport(run) : open_stream(run);
    return note(run, PHASE_OPEN, began, rc);
}

static int secure_side(struct run *run)
{
    int rc;

    if (!starts_tls(run)) {
        return 0;
    }
    if (is_server(run)) {
        rc = hear_line(run, PHASE_CLEAR, plain_request);
        if (rc == 0) {
            say(run, plain_answer);
        }
    } else {
        say(run, plain_request);
        rc = hear_line(run, PHASE_CLEAR, plain_answer);
    }
    return rc == 0 ? upgrade(run) : rc;
}

static void talk(struct run *run)
{
    const double began = run->wire.now;

    if (run->writer != NULL) {
        watch_attach(&run->watch, run->transport);
    }
    say(run, message_of_rill);
    if (run->writer != NULL) {
        note(run, PHASE_DRAIN, began, rill_writer_drain(run->writer));
    }
    const int rc = hear_line(run, PHASE_READ, message_of_peer);
    if (rc == 0 && run->exchange->peer_closes_first) {
        hear_end(run);
    } else if (rc == 0) {
        note_closing(run);
    }
}

static void close_side(struct run *run)
{
    const double began = run->wire.now;

    if (run->writer != NULL) {
        const struct rill_opt_real deadline = RILL_SET(CLOSE_DEADLINE_S);
        rill_writer_set_close_timeout(run->writer, deadline);
        rill_writer_close(run->writer);
    } else {
        rill_transport_close(run->transport);
    }
    note(run, PHASE_CLOSED, began, wait_closed(run));
}

int run_rill_side(void *arg)
{
    struct run *const run = arg;

    run->task = rill_current_task();
    if (open_side(run) < 0) {
        return 0;
    }
    if (secure_side(run) == 0) {
        talk(run);
    }
    close_side(run);
    return 0;
}

/* -- life ------------------------------------------------------------------------------------- */

void run_init(struct run *run, const struct exchange *exchange, const struct material *material,
              const struct cut *cut)
{
    *run = (struct run){.exchange = exchange, .material = material};
    const struct peer_script script = {
        .is_server = !is_server(run),
        .begins_in_clear = starts_tls(run),
        .closes_first = exchange->peer_closes_first,
        .version = exchange->version,
    };
    random_restart();
    random_use(RANDOM_OF_PEER);
    peer_init(&run->peer, material->peer, &script);
    random_use(RANDOM_OF_RILL);
    run->peer.on_closing = note_closing;
    run->peer.arg = run;
    run->wire.peer = &run->peer;
    run->wire.cut = *cut;
    run->wire.on_hang = give_up;
    run->wire.arg = run;
}

void run_cleanup(struct run *run)
{
    if (run->writer != NULL) {
        rill_writer_free(run->writer);
    } else if (run->exchange->role == ROLE_START_TLS_SERVER) {
        rill_transport_unref(run->transport);
        rill_reader_free(run->reader);
        rill_reader_free(run->loss);
    }
    rill_memory_peer_free(run->wire.pipe);
    peer_cleanup(&run->peer);
}
