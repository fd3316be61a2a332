/* SPDX-License-Identifier: MIT
 *
 * What the script does with a peer, whatever it is made of.
 */
#include "peer.h"

#include <stdint.h>
#include <string.h>

#include "events.h"
#include "script.h"
#include "seams.h"

#define READ_SECONDS 3.

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
    emit(replay, event);
}

static void do_send(struct peer *peer, const json_t *operation)
{
    struct replay *replay = peer->replay;
    peer->ops->send(peer, bytes_of_json(&replay->arena, json_object_get(operation, "bytes")));
}

void peer_operation(struct replay *replay, int number, const json_t *operation)
{
    const char *what = json_string_value(json_object_get(operation, "do"));
    const json_t *size = json_object_get(operation, "n");
    struct peer *peer = replay->peers[number];
    if (peer == NULL) {
        return;
    }
    if (strcmp(what, "read") == 0) {
        peer_read(replay, number, size != NULL ? (size_t)json_integer_value(size) : SIZE_MAX,
                  json_is_true(json_object_get(operation, "drop")));
    } else if (strcmp(what, "send") == 0) {
        do_send(peer, operation);
    } else if (strcmp(what, "window") == 0) {
        peer->ops->window(peer, size);
    } else if (strcmp(what, "shutdown") == 0) {
        peer->ops->shutdown(peer);
    } else if (strcmp(what, "close") == 0) {
        peer->ops->close(peer);
    } else if (strcmp(what, "reset") == 0) {
        peer->ops->reset(peer);
    }
}
