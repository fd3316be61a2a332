/* SPDX-License-Identifier: MIT
 *
 * Several names at once, as create_server's gather of getaddrinfo does.
 */
#include <string.h>

#include "loop/tasks.h"
#include "net/net.h"
#include "sansio/memory.h"

struct lookups;

/* One name, looked up by a task of its own. */
struct lookup {
    struct lookups *all;
    struct rill_task *task;
    char *host; /* a copy: the task may outlive the caller */
    struct rill__address_list list;
    bool begun;
};

/* Held by the caller and by each task that begins, or still may: when one name fails, the others'
 * look-ups go on, as gather's children do. */
struct lookups {
    struct rill_loop *loop;
    struct rill__names names;
    char *port;
    size_t references;
    struct lookup items[];
};

static void release(struct lookups *all)
{
    if (--all->references > 0) {
        return;
    }
    for (size_t i = 0; i < all->names.count; i++) {
        rill_task_free(all->items[i].task);
        rill__free(all->items[i].host);
        rill__address_list_cleanup(&all->items[i].list);
    }
    rill__free(all->port);
    rill__free(all);
}

/* getaddrinfo({host!r}). */
static int nothing_found(const char *host)
{
    struct rill__text text = {0};

    if (host == NULL) {
        rill__text_add(&text, "None");
    } else {
        rill__text_add_str_repr(&text, rill_bytes_of(host));
    }
    const struct rill_error *error =
        rill_error_from_errno_text(0, "getaddrinfo(%s) returned empty list", rill__text_of(&text));
    rill__text_cleanup(&text);
    return rill__fail(error);
}

/* It lets go by itself and not by a done callback, which a loop that is freed may never run. */
static int look_up(void *arg)
{
    struct lookup *lookup = arg;
    const struct rill__names *names = &lookup->all->names;
    lookup->begun = true;
    int rc = rill__resolve(lookup->all->loop, lookup->host, names->port, names->family, 0,
                           names->flags, &lookup->list);
    rc = rc == 0 && lookup->list.count == 0 ? nothing_found(lookup->host) : rc;
    release(lookup->all);
    return rc;
}

static struct lookups *lookups_new(struct rill_loop *loop, const struct rill__names *names)
{
    struct lookups *all = rill__alloc_zeroed(sizeof *all + names->count * sizeof all->items[0]);
    if (all == NULL) {
        return NULL;
    }
    all->loop = loop;
    all->names = *names;
    all->references = 1;
    all->port = names->port != NULL ? rill__strdup(names->port) : NULL;
    bool complete = names->port == NULL || all->port != NULL;
    all->names.port = all->port;
    all->names.hosts = NULL;
    for (size_t i = 0; i < names->count && complete; i++) {
        const char *host = names->hosts[i];
        all->items[i].all = all;
        all->items[i].host = host != NULL ? rill__strdup(host) : NULL;
        complete = host == NULL || all->items[i].host != NULL;
    }
    if (!complete) {
        release(all);
        return NULL;
    }
    return all;
}

static int start(struct lookup *lookup)
{
    const int rc = rill_task_create(look_up, lookup, NULL, &lookup->task);
    if (rc < 0) {
        return rill__fail(rill__error_of_code(rc));
    }
    lookup->all->references++;
    return 0;
}

/* 0 when every name was found. */
static int gather(struct lookups *all)
{
    const size_t count = all->names.count;
    struct rill_task **tasks = rill__alloc((count > 0 ? count : 1) * sizeof tasks[0]);
    size_t started = 0;
    int rc = tasks != NULL ? 0 : rill__fail_no_memory();

    while (rc == 0 && started < count) {
        rc = start(&all->items[started]);
        if (rc == 0) {
            tasks[started] = all->items[started].task;
            started++;
        }
    }
    rc = rc == 0 ? rill_gather(tasks, count, false, NULL) : rc;
    for (size_t i = 0; i < started; i++) {
        if (!all->items[i].begun) { /* cancelled, or there was no memory to wait for it */
            rill_task_cancel(tasks[i]);
            all->references--;
        }
    }
    rill__free(tasks);
    return rc;
}

/* asyncio compares tuples, in which a literal stands as it was written. */
static bool same_address(const struct rill__endpoint_address *a,
                         const struct rill__endpoint_address *b)
{
    char text_a[192];
    char text_b[192];

    rill__endpoint_text(a, text_a, sizeof text_a);
    rill__endpoint_text(b, text_b, sizeof text_b);
    return a->family == b->family && a->type == b->type && a->protocol == b->protocol &&
           strcmp(text_a, text_b) == 0;
}

static bool contains(const struct rill__address_list *list,
                     const struct rill__endpoint_address *address)
{
    for (size_t i = 0; i < list->count; i++) {
        if (same_address(&list->items[i], address)) {
            return true;
        }
    }
    return false;
}

static int merge(const struct lookups *all, struct rill__address_list *list)
{
    size_t most = 0;

    for (size_t i = 0; i < all->names.count; i++) {
        most += all->items[i].list.count;
    }
    list->items = rill__alloc_zeroed((most > 0 ? most : 1) * sizeof list->items[0]);
    if (list->items == NULL) {
        return rill__fail_no_memory();
    }
    for (size_t i = 0; i < all->names.count; i++) {
        const struct rill__address_list *found = &all->items[i].list;
        for (size_t j = 0; j < found->count; j++) {
            if (!contains(list, &found->items[j])) {
                list->items[list->count++] = found->items[j];
            }
        }
    }
    return 0;
}

int rill__resolve_names(struct rill_loop *loop, const struct rill__names *names,
                        struct rill__address_list *list)
{
    *list = (struct rill__address_list){0};
    struct lookups *all = lookups_new(loop, names);
    if (all == NULL) {
        return rill__fail_no_memory();
    }
    int rc = gather(all);
    if (rc == 0) {
        rc = merge(all, list);
    }
    release(all);
    return rc;
}
