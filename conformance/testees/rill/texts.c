/* SPDX-License-Identifier: MIT
 *
 * Values as text.
 */
#include "texts.h"

enum { ADDRESS_TEXT_SIZE = 512 }; /* a repr of 108 bytes, each as \xNN */

const char *text_of_address(struct arena *arena, const struct rill_address *address)
{
    char *text = arena_take(arena, ADDRESS_TEXT_SIZE);
    const bool named = address->path_len > 0 && address->path[0] == '\0'; /* abstract */
    if (address->host[0] == '\0' && !named) {
        struct arena_buffer path = {0};
        arena_append(arena, &path, address->path, address->path_len);
        arena_append(arena, &path, "", 1);
        return path.memory;
    }
    rill_address_repr(address, text, ADDRESS_TEXT_SIZE);
    return text;
}

json_t *json_of_extra_info(struct arena *arena, const struct rill_extra_info *info)
{
    if (info->kind == RILL_EXTRA_ADDRESS) {
        return json_string(text_of_address(arena, &info->address));
    }
    return json_sprintf("<socket %d>", info->socket);
}
