/* SPDX-License-Identifier: MIT
 *
 * The case's servers, their handlers, and the peers that connect.
 */
#include "server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "backend.h"
#include "connection.h"
#include "contexts.h"
#include "events.h"
#include "listeners.h"
#include "options.h"
#include "peer_tls.h"
#include "tasks.h"
#include "texts.h"
#include "upgrade.h"

enum { NAME_SIZE = 24, CONNECT_PATIENCE_US = 500000 };

/* -- the list of servers ------------------------------------------------------------------------
 */

struct serving *server_numbered(const struct replay *replay, int number)
{
    struct serving *found = NULL;
    int count = 0;
    for (struct serving *serving = replay->servings; serving != NULL; serving = serving->next) {
        if (number == 0 || ++count == number) {
            found = serving;
        }
    }
    return found;
}

static struct serving *serving_new(struct replay *replay, const json_t *call)
{
    struct serving *serving = arena_take(&replay->arena, sizeof *serving);
    serving->replay = replay;
    serving->speaks_tls = context_of(replay, json_object_get(call, "ssl")) != NULL;
    serving->silent = json_is_true(json_object_get(call, "no_callback"));
    return serving;
}

static int compare_names(const void *left, const void *right)
{
    const struct server_name *a = left;
    const struct server_name *b = right;
    return strcmp(a->text, b->text);
}

const struct server_name *server_names(const struct serving *serving, size_t *count)
{
    struct arena *arena = &serving->replay->arena;
    *count = rill_server_socket_count(serving->server);
    struct server_name *names = arena_take(arena, (*count + 1) * sizeof *names);
    for (size_t i = 0; i < *count; i++) {
        struct rill_address address;
        rill_server_sockname(serving->server, i, &address);
        names[i].text = text_of_address(arena, &address);
        names[i].index = i;
    }
    qsort(names, *count, sizeof *names, compare_names);
    return names;
}

static void tell_port(struct replay *replay, int port)
{
    char name[NAME_SIZE];
    replay->ports_named++;
    snprintf(name, sizeof name, "server%d", replay->ports_named);
    emit_port(replay, replay->ports_named == 1 ? "server" : name, port);
}

/* The server is there: from now on it has a number, and peers can connect to it. */
static void serving_begins(struct serving *serving)
{
    struct replay *replay = serving->replay;
    struct serving **link = &replay->servings;
    size_t count;
    const struct server_name *names = server_names(serving, &count);
    for (size_t i = 0; i < count; i++) {
        struct rill_address address;
        rill_server_sockname(serving->server, names[i].index, &address);
        if (address.family != AF_UNIX) {
            tell_port(replay, address.port);
        }
        serving->address = i == 0 ? address : serving->address;
    }
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = serving;
}

void server_drop(struct serving *serving)
{
    rill_server_free(serving->server);
    serving->server = NULL;
}

/* A server that was let go of keeps serving, and nobody can close it. */
static bool is_serving(const struct serving *serving)
{
    return serving->server == NULL || rill_server_is_serving(serving->server);
}

bool servers_dropped(const struct replay *replay)
{
    for (const struct serving *serving = replay->servings; serving != NULL;
         serving = serving->next) {
        if (serving->server == NULL) {
            return true;
        }
    }
    return false;
}

void servers_close(struct replay *replay)
{
    for (const struct serving *serving = replay->servings; serving != NULL;
         serving = serving->next) {
        if (serving->server == NULL) {
            continue;
        }
        rill_server_abort_clients(serving->server); /* also of those that nobody was called for */
        rill_server_close(serving->server);
    }
}

void servers_free(struct replay *replay)
{
    for (; replay->servings != NULL; replay->servings = replay->servings->next) {
        rill_server_free(replay->servings->server);
    }
}

/* -- peers that connect -------------------------------------------------------------------------
 */

static struct peer *queued_peer(const struct serving *serving, size_t index)
{
    return serving->replay->peers[serving->queue[index]];
}

static void queue_remove(struct serving *serving, size_t index)
{
    int *place = serving->queue + index;
    serving->queued--;
    memmove(place, place + 1, (serving->queued - index) * sizeof *place);
}

/* Where in the queue the peer of an accepted connection is: the one of that address, on Unix
 * sockets the first that does not hold, for that one's handshake cannot be over. */
static size_t queue_find(const struct serving *serving, const struct rill_address *address)
{
    for (size_t i = 0; i < serving->queued; i++) {
        if (address->family != AF_UNIX && queued_peer(serving, i)->port == address->port) {
            return i;
        }
    }
    for (size_t i = 0; i < serving->queued; i++) {
        if (serving->replay->backend->upgrades || !peer_tls_holds(queued_peer(serving, i))) {
            return i;
        }
    }
    return 0;
}

/* The peer at the other end of an accepted connection; 0: none is known. */
static int queue_take(struct serving *serving, const struct rill_writer *writer)
{
    struct rill_address address = {0};
    if (serving->queued == 0) {
        return 0;
    }
    rill_writer_get_peername(writer, &address);
    const size_t index = queue_find(serving, &address);
    const int number = serving->queue[index];
    queue_remove(serving, index);
    return number;
}

/* Whether the server will call somebody for that peer without the script's doing. */
static bool is_waited_for(const struct serving *serving, const struct peer *peer)
{
    if (peer->wire == NULL) {
        return !serving->speaks_tls;
    }
    return peer_tls_failure(peer) == NULL &&
           (serving->replay->backend->upgrades || !peer_tls_holds(peer));
}

static bool serving_accepts(struct serving *serving)
{
    bool accepts = false;
    for (size_t i = serving->queued; i > 0; i--) {
        struct peer *peer = queued_peer(serving, i - 1);
        if (peer_turned_away(peer)) {
            queue_remove(serving, i - 1);
        } else {
            accepts = accepts || is_waited_for(serving, peer);
        }
    }
    return accepts && is_serving(serving);
}

bool servers_accept(struct replay *replay)
{
    bool accepts = false;
    if (replay->seams.now < replay->seams.accept_again) {
        return false; /* out of descriptors, and the server waits a second */
    }
    for (struct serving *serving = replay->servings; serving != NULL; serving = serving->next) {
        accepts = serving_accepts(serving) || accepts;
    }
    return accepts;
}

/* The kernel's form of a server's address. */
static socklen_t kernel_address(const struct rill_address *address,
                                struct sockaddr_storage *storage)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)address->port)};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons((uint16_t)address->port)};
    const struct rill_bytes path = {address->path, address->path_len};
    memset(storage, 0, sizeof *storage);
    if (address->family == AF_UNIX) {
        return unix_address(path, storage);
    }
    if (address->family == AF_INET6) {
        inet_pton(AF_INET6, address->host, &v6.sin6_addr);
        v6.sin6_scope_id = address->scope_id;
        memcpy(storage, &v6, sizeof v6);
        return sizeof v6;
    }
    inet_pton(AF_INET, address->host, &v4.sin_addr);
    memcpy(storage, &v4, sizeof v4);
    return sizeof v4;
}

/* A blocking connect, which needs no accept; -1 when it is refused, or when the listener's queue is
 * full and nobody empties it. */
static int connect_to(const struct rill_address *address)
{
    const struct timeval patience = {.tv_usec = CONNECT_PATIENCE_US};
    struct sockaddr_storage storage;
    const socklen_t length = kernel_address(address, &storage);
    const int fd = socket(address->family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)(const void *)&storage, length) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

/* A raw peer, or TLS over one; on start-tls the ClientHello waits for the handler. */
static struct peer *connected_peer(const struct serving *serving, int fd, bool plain)
{
    const bool upgrades = serving->replay->backend->upgrades;
    const struct peer_tls_start start = {.hold = upgrades && !serving->speaks_tls};
    struct peer *peer = peer_socket_new(serving->replay, fd);
    peer->connected = true;
    peer->port = port_of_socket(fd);
    return upgrades || (serving->speaks_tls && !plain) ? peer_tls_new(peer, &start) : peer;
}

void server_connect_peer(struct replay *replay, int number, int server, bool plain)
{
    char name[NAME_SIZE];
    struct serving *serving = server_numbered(replay, server);
    if (serving == NULL) {
        return;
    }
    const int fd = connect_to(&serving->address);
    if (fd < 0) {
        emit(replay, json_pack("{s:s, s:i, s:s, s:s}", "ev", "peer", "conn", number, "bytes", "",
                               "end", "refused"));
        return;
    }
    snprintf(name, sizeof name, "peer%d", number);
    if (serving->address.family != AF_UNIX) {
        emit_port(replay, name, port_of_socket(fd));
    }
    replay->peers[number] = connected_peer(serving, fd, plain);
    if (is_serving(serving) && !serving->silent && serving->queued < PEERS_MAX) {
        serving->queue[serving->queued++] = number;
    }
}

/* -- handlers -----------------------------------------------------------------------------------
 */

static struct connection *accepted(struct serving *serving, struct rill_reader *reader,
                                   struct rill_writer *writer)
{
    struct replay *replay = serving->replay;
    const int number = queue_take(serving, writer);
    struct connection *connection = connection_new(replay, number, reader, writer, false);
    if (number != 0) {
        connection_join(connection, replay->peers[number]);
    }
    return connection;
}

static const json_t *handler_calls(const struct replay *replay)
{
    return json_object_get(json_object_get(replay->script, "handler"), "calls");
}

/* Where the calls of a connection's handler run; the ids of all but the first are marked. */
static struct at handler_at(struct replay *replay, const struct connection *connection)
{
    char *mark = arena_take(&replay->arena, NAME_SIZE);
    if (connection->number > 1) {
        snprintf(mark, NAME_SIZE, "@%d", connection->number);
    }
    return (struct at){.replay = replay, .mark = mark, .number = connection->number};
}

static int handler_task(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct serving *serving = arg;
    struct replay *replay = serving->replay;
    struct connection *connection = accepted(serving, reader, writer);
    const struct at at = handler_at(replay, connection);
    char *name = arena_take(&replay->arena, NAME_SIZE);
    snprintf(name, NAME_SIZE, "h%d", connection->number);
    connection->handler = record_of_handler(&at, name, handler_calls(replay));
    const int rc = replay->backend->upgrades ? upgrade_handler(connection) : 0;
    return rc < 0 ? record_ends(connection->handler, rc) : record_run(connection->handler);
}

static int handler_callback(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct serving *serving = arg;
    struct connection *connection = accepted(serving, reader, writer);
    struct at at = handler_at(serving->replay, connection);
    const int rc = calls_run(&at, handler_calls(serving->replay));
    rill_error_unref(at.error);
    connection->owned = rc >= 0; /* the pair of a callback that fails is the server's */
    return rc < 0 ? rc : 0;
}

static bool handler_is_task(const struct replay *replay)
{
    const json_t *handler = json_object_get(replay->script, "handler");
    const char *kind = json_string_value(json_object_get(handler, "kind"));
    return kind != NULL && strcmp(kind, "task") == 0;
}

static rill_client_connected_task *task_handler(const struct serving *serving)
{
    return !serving->silent && handler_is_task(serving->replay) ? handler_task : NULL;
}

static rill_client_connected_cb *plain_handler(const struct serving *serving)
{
    return !serving->silent && !handler_is_task(serving->replay) ? handler_callback : NULL;
}

int server_start(struct replay *replay, const json_t *call, const char *host, const char *port)
{
    struct serving *serving = serving_new(replay, call);
    struct rill_server_options options = options_of_server(replay, call);
    options.plain_cb = plain_handler(serving);
    replay->connecting++;
    const int rc =
        rill_start_server(task_handler(serving), serving, host, port, &options, &serving->server);
    replay->connecting--;
    if (rc == 0) {
        serving_begins(serving);
    }
    return rc;
}

int server_start_unix(struct replay *replay, const json_t *call, struct rill_bytes path)
{
    struct serving *serving = serving_new(replay, call);
    struct rill_unix_server_options options = options_of_unix_server(replay, call);
    options.plain_cb = plain_handler(serving);
    replay->connecting++;
    const int rc =
        rill_start_unix_server(task_handler(serving), serving, path, &options, &serving->server);
    replay->connecting--;
    if (rc == 0) {
        serving_begins(serving);
    }
    return rc;
}
