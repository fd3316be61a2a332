/* SPDX-License-Identifier: MIT
 *
 * Values as text.
 */
#include "texts.h"

#include <string.h>

#include "contexts.h"

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

static json_t *json_of_cipher(const struct rill_ssl_object *object)
{
    struct rill_ssl_cipher cipher;
    return rill_ssl_object_cipher(object, &cipher)
               ? json_sprintf("('%s', '%s', %d)", cipher.name, cipher.protocol, cipher.bits)
               : NULL;
}

static json_t *json_of_peercert(struct rill_ssl_object *object)
{
    const struct rill_peercert *cert = rill_ssl_object_getpeercert(object, NULL);
    return cert != NULL ? json_string(cert->text) : NULL;
}

/* Four names are answered by the session. */
static json_t *json_of_session(const char *name, struct rill_ssl_object *object)
{
    if (strcmp(name, "cipher") == 0) {
        return json_of_cipher(object);
    }
    if (strcmp(name, "peercert") == 0) {
        return json_of_peercert(object);
    }
    if (strcmp(name, "compression") == 0) {
        const char *compression = rill_ssl_object_compression(object);
        return compression != NULL ? json_string(compression) : NULL;
    }
    return json_string("object");
}

json_t *json_of_extra_info(struct replay *replay, const char *name,
                           const struct rill_extra_info *info)
{
    if (info->kind == RILL_EXTRA_ADDRESS) {
        return json_string(text_of_address(&replay->arena, &info->address));
    }
    if (info->kind == RILL_EXTRA_SSL_CONTEXT) {
        return json_string(context_name(replay, info->ssl_context));
    }
    if (info->kind == RILL_EXTRA_SSL_OBJECT) {
        return json_of_session(name, info->ssl_object);
    }
    return json_sprintf("<socket %d>", info->socket);
}
