/* SPDX-License-Identifier: MIT
 *
 * What the script does with a peer, whatever it is made of.
 */
#include "peer.h"

#include <stdint.h>
#include <string.h>

#include "events.h"
#include "peer_tls.h"
#include "script.h"
#include "seams.h"

#define READ_SECONDS 3.

static const char *const act_names[PEER_ACT_COUNT] = {
    [PEER_SHUTDOWN] = "shutdown",
    [PEER_EOF] = "eof",
    [PEER_CLOSE] = "close",
    [PEER_CUT] = "cut",
    [PEER_RESET] = "reset",
    [PEER_HOLD] = "hold",
    [PEER_FLIGHT] = "flight",
    [PEER_HANDSHAKE] = "handshake",
    [PEER_SILENT] = "silent",
    [PEER_KEY_UPDATE] = "key-update",
    [PEER_RENEGOTIATE] = "renegotiate",
    [PEER_TICKET] = "ticket",
};

/* PEER_ACT_COUNT: it is none. */
static enum peer_act act_of_name(const char *name)
{
    enum peer_act act = 0;
    while (act < PEER_ACT_COUNT && strcmp(act_names[act], name) != 0) {
        act++;
    }
    return act;
}

void peer_belongs(struct peer *peer, struct connection *connection)
{
    for (; peer != NULL; peer = peer->wire) {
        peer->connection = connection;
    }
}

bool peers_pump(const struct replay *replay)
{
    bool moved = false;
    for (int number = 1; number < PEERS_MAX; number++) {
        struct peer *peer = replay->peers[number];
        if (peer != NULL && peer->ops->pump != NULL) {
            moved = peer->ops->pump(peer) || moved;
        }
    }
    return moved;
}

void peers_cut_early(const struct replay *replay)
{
    for (int number = 1; number < PEERS_MAX; number++) {
        struct peer *peer = replay->peers[number];
        if (peer != NULL && peer->wire != NULL && peer->connection == NULL) {
            peer_perform(peer, PEER_CUT);
        }
    }
}

void peer_read(struct replay *replay, int number, size_t most, bool drop)
{
    struct peer *peer = replay->peers[number];
    struct arena_buffer data = {0};
    const double give_up = real_time() + READ_SECONDS;
    while (data.size < most) {
        const bool arrived = !peer->ops->arriving(peer);
        settle(replay);
        const size_t before = data.size;
        peer->ops->take(peer, &data, most);
        if (data.size == before && (arrived || real_time() > give_up)) {
            break;
        }
        if (data.size == before) {
            nap();
        }
    }
    json_t *event =
        json_pack("{s:s, s:i, s:s}", "ev", "peer", "conn", number, "end", peer->ops->end(peer));
    if (!drop) {
        const struct rill_bytes all = {data.memory, data.size};
        json_object_set_new(event, "bytes", json_of_bytes(all));
    }
    if (peer_tls_failure(peer) != NULL) {
        json_object_set_new(event, "tls", json_string(peer_tls_failure(peer)));
    }
    emit(replay, event);
}

typedef void operation_fn(struct replay *replay, int number, const json_t *operation);

static void do_read(struct replay *replay, int number, const json_t *operation)
{
    const json_t *size = json_object_get(operation, "n");
    peer_read(replay, number, size != NULL ? (size_t)json_integer_value(size) : SIZE_MAX,
              json_is_true(json_object_get(operation, "drop")));
}

static struct rill_bytes bytes_of(struct replay *replay, const json_t *operation, const char *key)
{
    return bytes_of_json(&replay->arena, json_object_get(operation, key));
}

static void do_send(struct replay *replay, int number, const json_t *operation)
{
    struct peer *peer = replay->peers[number];
    peer->ops->send(peer, bytes_of(replay, operation, "bytes"));
}

static void do_raw(struct replay *replay, int number, const json_t *operation)
{
    struct peer *peer = replay->peers[number];
    peer->ops->raw(peer, bytes_of(replay, operation, "bytes"));
}

static void do_window(struct replay *replay, int number, const json_t *operation)
{
    struct peer *peer = replay->peers[number];
    peer->ops->window(peer, json_object_get(operation, "n"));
}

static void do_start_tls(struct replay *replay, int number, const json_t *operation)
{
    peer_tls_upgrade(replay, number, bytes_of(replay, operation, "first"));
}

static void do_tell(struct replay *replay, int number, const json_t *operation)
{
    (void)operation;
    peer_tls_tell(replay, number);
}

static const struct operation {
    const char *name;
    operation_fn *fn;
} operations[] = {
    {"read", do_read},     {"send", do_send},           {"raw", do_raw},
    {"window", do_window}, {"start-tls", do_start_tls}, {"tell", do_tell},
};
enum { OPERATION_COUNT = sizeof operations / sizeof operations[0] };

static operation_fn *operation_of_name(const char *name)
{
    for (size_t i = 0; i < OPERATION_COUNT; i++) {
        if (strcmp(operations[i].name, name) == 0) {
            return operations[i].fn;
        }
    }
    return NULL;
}

bool peer_knows(const char *what)
{
    return what != NULL && (operation_of_name(what) != NULL || act_of_name(what) < PEER_ACT_COUNT);
}

void peer_operation(struct replay *replay, int number, const json_t *operation)
{
    const char *what = json_string_value(json_object_get(operation, "do"));
    operation_fn *fn = operation_of_name(what);
    if (replay->peers[number] == NULL) {
        return;
    }
    if (fn != NULL) {
        fn(replay, number, operation);
    } else {
        peer_perform(replay->peers[number], act_of_name(what));
    }
}
