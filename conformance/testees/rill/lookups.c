/* SPDX-License-Identifier: MIT
 *
 * Scripted look-ups.
 */
#include "lookups.h"

#include <netdb.h>
#include <string.h>

#include "names.h"

static const json_t *find_line(const struct replay *replay, const char *host)
{
    const json_t *lines = json_object_get(replay->script, "resolve");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        const char *name = json_string_value(json_object_get(line, "name"));
        if (host == NULL ? name == NULL : name != NULL && strcmp(name, host) == 0) {
            return line;
        }
    }
    return NULL;
}

static struct addrinfo *last_of(struct addrinfo *list)
{
    while (list->ai_next != NULL) {
        list = list->ai_next;
    }
    return list;
}

/* The kernel library's answer for each address, joined; glibc frees a list node by node. */
static int look_up_addresses(const json_t *addresses, const char *port,
                             const struct addrinfo *hints, struct addrinfo **list)
{
    const struct rill_sys *kernel = rill_sys_kernel();
    struct addrinfo numeric = *hints;
    int status = 0;
    numeric.ai_flags |= AI_NUMERICHOST;
    *list = NULL;
    for (size_t i = 0; i < json_array_size(addresses); i++) {
        const char *address = json_string_value(json_array_get(addresses, i));
        struct addrinfo *found = NULL;
        const int failed = kernel->getaddrinfo(kernel->arg, address, port, &numeric, &found);
        if (failed != 0) {
            status = failed;
        } else if (*list == NULL) {
            *list = found;
        } else {
            last_of(*list)->ai_next = found;
        }
    }
    return *list != NULL ? 0 : status;
}

int lookup_names(const struct replay *replay, const char *host, const char *port,
                 const struct addrinfo *hints, struct addrinfo **list)
{
    const struct rill_sys *kernel = rill_sys_kernel();
    const json_t *line = find_line(replay, host);
    const char *error = json_string_value(json_object_get(line, "error"));
    if (line == NULL) {
        return kernel->getaddrinfo(kernel->arg, host, port, hints, list);
    }
    if (error != NULL) {
        return gai_of_name(error);
    }
    return look_up_addresses(json_object_get(line, "addresses"), port, hints, list);
}

void lookup_free_list(struct addrinfo *list)
{
    const struct rill_sys *kernel = rill_sys_kernel();
    if (list != NULL) {
        kernel->freeaddrinfo(kernel->arg, list);
    }
}
