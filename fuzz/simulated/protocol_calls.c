/* SPDX-License-Identifier: MIT
 *
 * The eight calls of the target protocol, and whether what they answer is what the arguments and
 * the kernel allow.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>

#include "simulated/protocol.h"

/* Made once, as a program makes them: what a call can be given as ssl. */
static struct {
    struct rill_ssl_context *client;
    struct rill_ssl_context *server;
} contexts;

void calls_init(void)
{
    if (rill_ssl_context_new_client(&contexts.client, NULL) < 0 ||
        rill_ssl_context_new_server(&contexts.server, NULL) < 0) {
        (void)fprintf(stderr, "there is no TLS\n");
        abort();
    }
}

/* -- what must not be ------------------------------------------------------------------------ */

static const char *told_text(void)
{
    const struct rill_error *error = rill_task_error();
    return error != NULL ? error->text : "";
}

static _Noreturn void mismatch_refusal(const struct protocol_run *run, int rc,
                                       const struct refusal *want)
{
    rig_print(run->rig);
    (void)fprintf(stderr, "the call answered %s: %s\nwant: %s: %s\n",
                  rc < 0 ? rill_error_name(rc) : "0", rc < 0 ? told_text() : "",
                  want->code < 0 ? rill_error_name(want->code) : "0", want->text);
    abort();
}

static _Noreturn void mismatch_answer(const struct protocol_run *run, int rc)
{
    rig_print(run->rig);
    (void)fprintf(stderr, "the call answered %s: %s\n", rill_error_name(rc), told_text());
    abort();
}

/* -- arguments as options -------------------------------------------------------------------- */

static struct rill_opt_real seconds_of(uint8_t which)
{
    static const double values[] = {0, 1, 0, -1.5};
    return (struct rill_opt_real){which != 0, values[which]};
}

static struct rill_opt_int limit_of(uint8_t which)
{
    static const int values[] = {0, 10, 0, -1};
    return (struct rill_opt_int){which != 0, values[which]};
}

static struct rill_opt_int backlog_of(uint8_t which)
{
    static const long long values[] = {0, 1, -1, 1LL << 40};
    return (struct rill_opt_int){which != 0, values[which]};
}

static const char *hostname_of(uint8_t which)
{
    static const char *const values[] = {NULL, "", "localhost", ".bad"};
    return values[which];
}

static bool is(const struct protocol_run *run, unsigned bit)
{
    return (run->arguments.call & bit) != 0;
}

static struct rill_ssl_context *ssl_of(const struct protocol_run *run)
{
    switch ((enum protocol_ssl)run->arguments.ssl) {
    case SSL_NONE:
        return NULL;
    case SSL_AS_TRUE:
        return rill_ssl_default;
    default:
        return is(run, CALL_SERVER) ? contexts.server : contexts.client;
    }
}

/* A server's socket is bound to something, but one that nobody handles: there is nothing that it
 * could be told apart by. A client's is connected. */
static bool prepare(const struct protocol_run *run, int fd, int family)
{
    const struct rill_sys *sys = &run->rig->sys;
    const enum kernel_outcome outcome = run->rig->kernel.outcome;
    const struct sockaddr_un local = {.sun_family = (sa_family_t)family, .sun_path = "/run/x"};
    const struct sockaddr *address = (const struct sockaddr *)(const void *)&local;
    if (is(run, CALL_SERVER)) {
        return run->arguments.handler == HANDLER_NONE ||
               sys->bind(sys->arg, fd, address, sizeof local) == 0;
    }
    run->rig->kernel.outcome = KERNEL_AT_ONCE;
    const int rc = sys->connect(sys->arg, fd, address, sizeof local.sun_family);
    run->rig->kernel.outcome = outcome;
    return rc == 0;
}

/* A socket of the caller's, or -1: none is asked for, or there is none. */
static int make_socket(const struct protocol_run *run)
{
    const struct rill_sys *sys = &run->rig->sys;
    const bool other = run->arguments.sock == SOCK_OF_OTHER_FAMILY;
    const int family = is(run, CALL_UNIX) != other ? AF_UNIX : AF_INET;
    const int type = run->arguments.sock == SOCK_OF_DATAGRAMS ? SOCK_DGRAM : SOCK_STREAM;
    if (run->arguments.sock == SOCK_NONE) {
        return -1;
    }
    const int fd = sys->socket(sys->arg, family, type, 0);
    if (fd < 0 || prepare(run, fd, family)) {
        return fd;
    }
    (void)sys->close(sys->arg, fd);
    return -1;
}

static const char *host_of(const struct protocol_run *run)
{
    const uint8_t name = run->arguments.name;
    return name == NAME_BOTH ? "127.0.0.1" : name == NAME_HOST ? "localhost" : NULL;
}

static const char *port_of(const struct protocol_run *run)
{
    const uint8_t name = run->arguments.name;
    return name == NAME_BOTH || name == NAME_PORT ? "80" : NULL;
}

static struct rill_bytes path_of(const struct protocol_run *run)
{
    static const char abstract[] = "\0name";
    const struct rill_bytes none = {NULL, 0};
    switch ((enum protocol_name)run->arguments.name) {
    case NAME_BOTH:
        return rill_bytes_of("/run/x");
    case NAME_HOST:
        return (struct rill_bytes){abstract, sizeof abstract - 1};
    default:
        return none;
    }
}

/* -- clients --------------------------------------------------------------------------------- */

/* What was made without a protocol's hearing of it. */
static int take_transport(struct protocol_run *run, int rc, struct rill_transport *transport)
{
    struct told *told = &run->connections[0];
    if (rc == 0 && told->transport == NULL && !told->lost) {
        told->transport = transport; /* the caller's reference */
        told->deaf = true;
    } else if (rc == 0) {
        rill_transport_unref(transport);
    }
    return rc;
}

static int take_pair(struct protocol_run *run, int rc, struct rill_reader *reader,
                     struct rill_writer *writer)
{
    if (rc == 0 && told_of_pair(run, reader, writer) == NULL) {
        rill_writer_free(writer);
    }
    return rc;
}

static int call_client(struct protocol_run *run, int fd)
{
    const struct arguments *arguments = &run->arguments;
    const struct rill_connection_options options = {
        .limit = limit_of(arguments->limit),
        .sock = {fd >= 0, fd},
        .ssl = ssl_of(run),
        .server_hostname = hostname_of(arguments->hostname),
        .ssl_handshake_timeout = seconds_of(arguments->handshake_timeout),
        .ssl_shutdown_timeout = seconds_of(arguments->shutdown_timeout),
        .insecure_skip_hostname = arguments->ssl == SSL_UNCHECKED,
    };
    const struct rill_connection_options *given = arguments->no_options ? NULL : &options;
    struct rill_transport *transport;
    struct rill_protocol *protocol;
    struct rill_reader *reader;
    struct rill_writer *writer;
    if (is(run, CALL_STREAMS)) {
        const int rc = rill_open_connection(host_of(run), port_of(run), given, &reader, &writer);
        return take_pair(run, rc, reader, writer);
    }
    const int rc = rill_create_connection(told_factory, run, host_of(run), port_of(run), given,
                                          &transport, &protocol);
    return take_transport(run, rc, transport);
}

static int call_unix_client(struct protocol_run *run, int fd)
{
    const struct arguments *arguments = &run->arguments;
    const struct rill_unix_connection_options options = {
        .limit = limit_of(arguments->limit),
        .sock = {fd >= 0, fd},
        .ssl = ssl_of(run),
        .server_hostname = hostname_of(arguments->hostname),
        .ssl_handshake_timeout = seconds_of(arguments->handshake_timeout),
        .ssl_shutdown_timeout = seconds_of(arguments->shutdown_timeout),
        .insecure_skip_hostname = arguments->ssl == SSL_UNCHECKED,
    };
    const struct rill_unix_connection_options *given = arguments->no_options ? NULL : &options;
    struct rill_transport *transport;
    struct rill_protocol *protocol;
    struct rill_reader *reader;
    struct rill_writer *writer;
    if (is(run, CALL_STREAMS)) {
        const int rc = rill_open_unix_connection(path_of(run), given, &reader, &writer);
        return take_pair(run, rc, reader, writer);
    }
    const int rc =
        rill_create_unix_connection(told_factory, run, path_of(run), given, &transport, &protocol);
    return take_transport(run, rc, transport);
}

/* -- servers --------------------------------------------------------------------------------- */

/* A task handler: reads once, then ends as the input says. */
static int handle(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct protocol_run *run = arg;
    struct rill_bytes data;
    const uint8_t mood = told_mood(run);
    run->fails = true; /* its pair is not told apart from the others' */
    if ((mood & 1u) != 0) {
        (void)rill_reader_read(reader, 10, &data);
    }
    (void)rill_writer_write(writer, text_at(0), mood);
    return (mood & 6u) == 6 ? rill_task_fail(rill_error_new(RILL_EUSER, "raised")) : 0;
}

static int take(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct protocol_run *run = arg;
    const uint8_t mood = told_mood(run);
    if ((mood & 1u) != 0) {
        run->fails = true;
        if ((mood & 2u) != 0) { /* it let go of its pair before it failed */
            rill_writer_free(writer);
        }
        return RILL_EUSER;
    }
    return take_pair(run, 0, reader, writer);
}

static int call_server(struct protocol_run *run, int fd)
{
    static const char *const hosts[] = {"127.0.0.1", NULL};
    const struct arguments *arguments = &run->arguments;
    const struct rill_server_options options = {
        .limit = limit_of(arguments->limit),
        .sock = {fd >= 0, fd},
        .backlog = backlog_of(arguments->backlog),
        .reuse_address = {arguments->keep_alive, 0},
        .reuse_port = {arguments->keep_alive, 1},
        .keep_alive = {arguments->keep_alive, 1},
        .start_serving = {arguments->idle_at_first, 0},
        .hosts = hosts,
        .host_count = {arguments->several_hosts, arguments->name == NAME_HOST ? 0 : 2},
        .ssl = ssl_of(run),
        .ssl_handshake_timeout = seconds_of(arguments->handshake_timeout),
        .ssl_shutdown_timeout = seconds_of(arguments->shutdown_timeout),
        .plain_cb = arguments->handler == HANDLER_PLAIN ? take : NULL,
    };
    const struct rill_server_options *given = arguments->no_options ? NULL : &options;
    rill_client_connected_task *handler = arguments->handler == HANDLER_TASK ? handle : NULL;
    return is(run, CALL_STREAMS)
               ? rill_start_server(handler, run, host_of(run), port_of(run), given, &run->server)
               : rill_create_server(told_factory, run, host_of(run), port_of(run), given,
                                    &run->server);
}

static int call_unix_server(struct protocol_run *run, int fd)
{
    const struct arguments *arguments = &run->arguments;
    const struct rill_unix_server_options options = {
        .limit = limit_of(arguments->limit),
        .sock = {fd >= 0, fd},
        .backlog = backlog_of(arguments->backlog),
        .start_serving = {arguments->idle_at_first, 0},
        .cleanup_socket = {arguments->keeps_file, 0},
        .ssl = ssl_of(run),
        .ssl_handshake_timeout = seconds_of(arguments->handshake_timeout),
        .ssl_shutdown_timeout = seconds_of(arguments->shutdown_timeout),
        .plain_cb = arguments->handler == HANDLER_PLAIN ? take : NULL,
    };
    const struct rill_unix_server_options *given = arguments->no_options ? NULL : &options;
    rill_client_connected_task *handler = arguments->handler == HANDLER_TASK ? handle : NULL;
    return is(run, CALL_STREAMS)
               ? rill_start_unix_server(handler, run, path_of(run), given, &run->server)
               : rill_create_unix_server(told_factory, run, path_of(run), given, &run->server);
}

/* -- the answer ------------------------------------------------------------------------------ */

static bool is_os_error(int rc)
{
    return rc == RILL_ETIMEOUT || rc == RILL_EGAI || (rc <= RILL_EOS && rc > RILL_ESSL);
}

/* What may end a call that was given nothing wrong, when nothing but the input's faults and the
 * peer's bytes are against it. */
static bool is_explained(const struct protocol_run *run, int rc)
{
    const struct rig *rig = run->rig;
    const bool tls = ssl_of(run) != NULL && !is(run, CALL_SERVER);
    const bool unbound = is(run, CALL_SERVER) && run->arguments.sock != SOCK_NONE; /* */
    /* A socket that does not tell its type is none that was expected. */
    const bool untold = run->arguments.sock != SOCK_NONE && run->fault.call == KERNEL_GETSOCKOPT &&
                        rig->kernel.failed > 0;
    /* a kernel that refuses SO_REUSEPORT is told as a wrong argument. */
    const bool unshared = is(run, CALL_SERVER) && run->arguments.keep_alive &&
                          run->fault.call == KERNEL_SETSOCKOPT && rig->kernel.failed > 0;
    return rc == RILL_ECANCELLED || rig->allocations.failed > 0 || run->refused ||
           (rc == RILL_EVALUE && (untold || unshared)) ||
           (is_os_error(rc) && (rig->kernel.failed > 0 || tls || unbound)) ||
           (tls && rc <= RILL_ESSL && rc > RILL_EGROUP) ||
           (rc == RILL_EINDEX && (unbound || rig->kernel.failed > 0)) ||
           (run->arguments.several_hosts && is_os_error(rc));
}

static void judge(const struct protocol_run *run, int rc)
{
    const struct refusal want = arguments_refusal(&run->arguments);
    const bool as_told =
        rc == want.code && (rc == 0 || strncmp(told_text(), want.text, strlen(want.text)) == 0);
    if (as_told) {
        return;
    }
    if (rc == 0 || (want.code != 0 && !want.late && run->rig->kernel.failed == 0 &&
                    run->rig->allocations.failed == 0)) {
        mismatch_refusal(run, rc, &want);
    }
    if (!is_explained(run, rc)) {
        mismatch_answer(run, rc);
    }
}

/* A socket that was handed in stays the caller's when the call fails, but not when it was
 * cancelled: its transport was made by then and closes it. Over TLS only the end tells
 * whether there was a transport. */
static void give_back(struct protocol_run *run, int fd, int rc)
{
    const struct rill_sys *sys = &run->rig->sys;
    if (rc >= 0 || fd < 0 || (rc == RILL_ECANCELLED && !is(run, CALL_SERVER))) {
        return;
    }
    if (ssl_of(run) != NULL && !is(run, CALL_SERVER)) {
        run->left = (struct rill_opt_int){true, fd};
    } else {
        (void)sys->close(sys->arg, fd);
    }
}

int calls_make(void *arg)
{
    static int (*const calls[])(struct protocol_run * run, int fd) = {
        call_client, call_unix_client, call_server, call_unix_server};
    struct protocol_run *run = arg;
    const int fd = make_socket(run);
    if (run->arguments.sock != SOCK_NONE && fd < 0) {
        return 0; /* what is to be asked cannot be said */
    }
    const int rc = calls[run->arguments.call >> 1](run, fd);
    if ((run->flags & PROTOCOL_OUTSIDE) != 0) {
        if (rc != RILL_ERUNTIME && run->rig->allocations.failed == 0) {
            mismatch_answer(run, rc);
        }
    } else {
        judge(run, rc);
    }
    give_back(run, fd, rc);
    return rc == RILL_ECANCELLED ? rc : 0;
}
