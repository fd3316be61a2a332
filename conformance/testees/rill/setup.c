/* SPDX-License-Identifier: MIT
 *
 * Step 0: what a case's `with` says exists before its first operation.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "calls.h"
#include "connection.h"
#include "contexts.h"
#include "events.h"
#include "listeners.h"
#include "options.h"
#include "peer_tls.h"
#include "place.h"
#include "protocol.h"
#include "script.h"
#include "server.h"
#include "syscalls.h"
#include "upgrade.h"

enum { SMALL_SEND_BUFFER = 16384, PORT_TEXT_SIZE = 16 };

/* A step of set-up that must be made in a task: the driver itself is none. */
struct opening {
    struct replay *replay;
    bool bare;  /* with a scripted protocol instead of streams */
    int socket; /* the app's end of a pair */
    struct rill_bytes path;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_transport *transport;
    struct rill_memory_peer *memory;
    struct peer *wire; /* the peer over `memory`; NULL: not yet */
    json_t *call;      /* of a server with TLS, ours; NULL: the script's own options do */
};

static void cannot_set_up(const char *what)
{
    fprintf(stderr, "rill-testee: set-up failed: %s\n", what);
    exit(EXIT_FAILURE);
}

/* A peer over its wire, as the backend wants it from the beginning. */
static struct peer *carried(struct peer *wire)
{
    const struct peer_tls_start start = {.server_side = true, .never_hold = true};
    return wire->replay->backend->speaks_tls ? peer_tls_new(wire, &start) : wire;
}

/* A memory transport has its peer before the call that opens it has ended, which needs the peer's
 * side of the handshake. */
static void meet_memory(struct opening *opening)
{
    if (opening->memory != NULL && opening->wire == NULL) {
        opening->wire = peer_memory_new(opening->replay, opening->memory);
        opening->replay->peers[1] = carried(opening->wire);
    }
}

/* Runs fn(opening) as a task to its end; a failure is told as an error of step 0. */
static bool open_in_task(struct opening *opening, rill_task_fn *fn)
{
    struct replay *replay = opening->replay;
    const struct rill_task_options options = {.loop = replay->loop, .name = "set-up"};
    struct rill_task *task = NULL;
    if (rill_task_create(fn, opening, &options, &task) < 0) {
        cannot_set_up("no task");
    }
    while (!rill_task_done(task)) {
        settle(replay);
        meet_memory(opening);
    }
    const struct rill_error *exception = rill_task_exception(task);
    const bool opened = exception == NULL;
    if (!opened) {
        emit_error(replay, json_string("set-up"), exception);
    }
    rill_task_free(task);
    return opened;
}

/* What the app's end is opened with; a NULL context: without TLS. */
struct tls_wanted {
    struct rill_ssl_context *context;
    struct rill_start_tls_options options;
};

static const json_t *app_of(const struct replay *replay)
{
    return json_object_get(json_object_get(replay->script, "tls"), "app");
}

static struct tls_wanted tls_wanted(const struct replay *replay)
{
    const json_t *app = app_of(replay);
    struct tls_wanted wanted = {0};
    if (replay->backend->speaks_tls) {
        wanted.context = context_of(replay, json_object_get(app, "context"));
        wanted.options = options_of_start_tls(app);
    }
    return wanted;
}

static struct rill_connection_options connection_options(const struct replay *replay)
{
    const struct tls_wanted tls = tls_wanted(replay);
    return (struct rill_connection_options){
        .limit = int_argument(replay->script, "limit"),
        .ssl = tls.context,
        .server_hostname = tls.options.server_hostname,
        .ssl_handshake_timeout = tls.options.ssl_handshake_timeout,
        .ssl_shutdown_timeout = tls.options.ssl_shutdown_timeout,
        .insecure_skip_hostname = tls.options.insecure_skip_hostname,
    };
}

/* What create_connection does over a socket: its protocol, and connection_made before it returns.
 * With TLS it is start_tls from there on. */
static int open_bare_memory(struct opening *opening)
{
    struct replay *replay = opening->replay;
    const struct tls_wanted tls = tls_wanted(replay);
    struct rill_protocol *protocol = protocol_new(replay);
    int rc = rill_memory_transport_new(replay->loop, protocol, NULL, &opening->transport,
                                       &opening->memory);
    while (rc == 0 && !protocol_is_made(protocol)) {
        rc = rill_sleep(0);
    }
    if (rc == 0 && tls.context != NULL) {
        struct rill_transport *made;
        rc = rill_start_tls(opening->transport, protocol, tls.context, &tls.options, &made);
        opening->transport = rc == 0 ? made : opening->transport;
    }
    if (rc < 0) {
        rill_transport_unref(opening->transport);
    }
    return rc;
}

static int open_memory(void *arg)
{
    struct opening *opening = arg;
    const struct rill_connection_options options = connection_options(opening->replay);
    if (opening->bare) {
        return open_bare_memory(opening);
    }
    return rill_open_memory_connection(&options, NULL, &opening->reader, &opening->writer,
                                       &opening->memory);
}

static int open_connection(struct opening *opening, const char *host, const char *port,
                           const struct rill_connection_options *options)
{
    struct rill_protocol *protocol;
    if (opening->bare) {
        return rill_create_connection(protocol_new, opening->replay, host, port, options,
                                      &opening->transport, &protocol);
    }
    return rill_open_connection(host, port, options, &opening->reader, &opening->writer);
}

static int open_socket(void *arg)
{
    struct opening *opening = arg;
    struct rill_connection_options options = connection_options(opening->replay);
    options.sock = (struct rill_opt_int)RILL_SET(opening->socket);
    return open_connection(opening, NULL, NULL, &options);
}

static int open_tcp(void *arg)
{
    struct opening *opening = arg;
    const struct rill_connection_options options = connection_options(opening->replay);
    char port[PORT_TEXT_SIZE];
    snprintf(port, sizeof port, "%d", listener_port(opening->replay));
    return open_connection(opening, LISTEN_HOST, port, &options);
}

static int open_unix(void *arg)
{
    struct opening *opening = arg;
    const struct rill_unix_connection_options options = {
        .limit = int_argument(opening->replay->script, "limit")}; /* no TLS backend opens one */
    struct rill_protocol *protocol;
    if (opening->bare) {
        return rill_create_unix_connection(protocol_new, opening->replay, opening->path, &options,
                                           &opening->transport, &protocol);
    }
    return rill_open_unix_connection(opening->path, &options, &opening->reader, &opening->writer);
}

static int open_reader(void *arg)
{
    struct opening *opening = arg;
    return rill_reader_new(int_argument(opening->replay->script, "limit"), &opening->reader);
}

static int open_server(void *arg)
{
    const struct opening *opening = arg;
    const json_t *call = opening->call != NULL ? opening->call : opening->replay->script;
    if (opening->path.ptr != NULL) {
        return server_start_unix(opening->replay, call, opening->path);
    }
    return server_start(opening->replay, call, LISTEN_HOST, "0");
}

/* Connection 1; its peer is still to be found. */
static struct connection *opened_connection(const struct opening *opening)
{
    if (opening->bare) {
        return connection_of_transport(opening->replay, 1, opening->transport);
    }
    return connection_new(opening->replay, 1, opening->reader, opening->writer, true);
}

/* Peer 1 is there already. */
static void connect_opened(const struct opening *opening)
{
    connection_join(opened_connection(opening), opening->replay->peers[1]);
}

static bool set_up_memory(struct opening *opening)
{
    const bool opened = open_in_task(opening, open_memory);
    if (opened) {
        connect_opened(opening);
    } else if (opening->wire != NULL && opening->memory == NULL) {
        peer_memory_lost(opening->wire);
    }
    return opened;
}

static void small_send_buffer(int fd)
{
    const int size = SMALL_SEND_BUFFER;
    setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof size);
}

static bool set_up_pair(struct opening *opening)
{
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        cannot_set_up("socketpair");
    }
    const ino_t inode = inode_of_descriptor(ends[0]);
    small_send_buffer(ends[0]);
    syscalls_forget(opening->replay, ends[0]);
    opening->socket = ends[0];
    opening->replay->peers[1] = carried(peer_socket_new(opening->replay, ends[1]));
    const bool opened = open_in_task(opening, open_socket);
    if (opened) {
        connect_opened(opening);
    } else if (inode_of_descriptor(ends[0]) == inode) {
        close(ends[0]); /* still ours */
    }
    return opened;
}

/* The peer is what the listener accepts. */
static const struct connection *accept_peer(const struct opening *opening)
{
    struct connection *connection = opened_connection(opening);
    small_send_buffer(connection_descriptor(connection));
    connection_find_peer(connection);
    if (connection->peer == NULL) {
        cannot_set_up("accept");
    }
    return connection;
}

static bool set_up_tcp(struct opening *opening)
{
    struct replay *replay = opening->replay;
    listener_open(replay, false);
    if (!open_in_task(opening, open_tcp)) {
        return false;
    }
    const struct connection *connection = accept_peer(opening);
    emit_port(replay, "own1", port_of_socket(connection_descriptor(connection)));
    return true;
}

static bool set_up_unix(struct opening *opening)
{
    opening->path = place_path(opening->replay, rill_bytes_of("{dir}/peer"));
    listener_open_unix(opening->replay, opening->path);
    const bool opened = open_in_task(opening, open_unix);
    if (opened) {
        accept_peer(opening);
    }
    return opened;
}

static int upgrade_first(void *arg)
{
    const struct opening *opening = arg;
    return upgrade_as_told(connection_find(opening->replay, 1));
}

/* start-tls: the connection that is open goes on over TLS, from both sides. */
static bool set_up_start_tls(struct opening *opening)
{
    const struct rill_bytes nothing = {NULL, 0};
    peer_tls_upgrade(opening->replay, 1, nothing);
    return open_in_task(opening, upgrade_first);
}

static bool set_up_connection(struct opening *opening)
{
    static bool (*const set_ups[])(struct opening * opening) = {
        [CARRIER_MEM] = set_up_memory,
        [CARRIER_PAIR] = set_up_pair,
        [CARRIER_TCP] = set_up_tcp,
        [CARRIER_UNIX] = set_up_unix,
    };
    const struct backend *backend = opening->replay->backend;
    bool opened = set_ups[backend->carrier](opening);
    if (opened && backend->upgrades) {
        opened = set_up_start_tls(opening);
    }
    if (opened && (backend->upgrades || backend->speaks_tls)) {
        settle(opening->replay); /* the app takes the session's tickets */
    }
    return opened;
}

static bool set_up_reader(struct opening *opening)
{
    const bool opened = open_in_task(opening, open_reader);
    if (opened) {
        connection_new(opening->replay, 1, opening->reader, NULL, true);
    }
    return opened;
}

/* start_server's options are the script's; TLS has its own. */
static json_t *server_call(const struct replay *replay)
{
    json_t *call = json_copy((json_t *)replay->script);
    json_t *app = json_copy((json_t *)app_of(replay));
    json_object_set(call, "ssl", json_object_get(app, "context"));
    json_object_del(app, "context");
    json_object_del(app, "server_hostname");
    json_object_update(call, app);
    json_decref(app);
    return call;
}

static bool set_up_server(struct opening *opening)
{
    const struct replay *replay = opening->replay;
    if (replay->backend->server == CARRIER_UNIX) {
        opening->path = place_path(opening->replay, rill_bytes_of("{dir}/server"));
    }
    opening->call = replay->backend->speaks_tls ? server_call(replay) : NULL;
    const bool opened = open_in_task(opening, open_server);
    json_decref(opening->call);
    return opened;
}

enum carrier set_up_carrier(const struct replay *replay)
{
    const bool server = strcmp(text_argument(replay->script, "with"), "server") == 0;
    return server ? replay->backend->server : replay->backend->carrier;
}

bool set_up(struct replay *replay)
{
    const char *with = text_argument(replay->script, "with");
    const bool bare = strcmp(with, "protocol") == 0;
    struct opening opening = {.replay = replay, .bare = bare, .socket = -1};
    if (bare || strcmp(with, "connection") == 0) {
        return set_up_connection(&opening);
    }
    if (strcmp(with, "reader") == 0) {
        return set_up_reader(&opening);
    }
    if (strcmp(with, "server") == 0) {
        return set_up_server(&opening);
    }
    listener_open(replay, json_array_size(json_object_get(replay->script, "connect")) > 0);
    port_reserve(replay);
    return true;
}
