/* SPDX-License-Identifier: MIT
 *
 * Who uses which descriptor: add_reader and its relatives for callers, and the claim of transports
 * that keeps both apart.
 */
#include "loop/poller.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>

#include "loop/tasks.h"
#include "sansio/memory.h"

struct rill__descriptor {
    struct rill__watch *watch; /* of add_reader and add_writer */
    rill_callback *on_readable;
    void *readable_arg;
    rill_callback *on_writable;
    void *writable_arg;
    bool claimed; /* a transport's */
};

static int find(struct rill_loop *loop, int fd, struct rill__descriptor **result)
{
    if (fd < 0) {
        return RILL_EVALUE;
    }
    const size_t index = (size_t)fd;
    if (index >= loop->descriptor_count) {
        size_t count = loop->descriptor_count == 0 ? 64 : loop->descriptor_count;
        while (count <= index) {
            count *= 2;
        }
        struct rill__descriptor *grown =
            rill__realloc(loop->descriptors, count * sizeof loop->descriptors[0]);
        if (grown == NULL) {
            return RILL_ENOMEM;
        }
        for (size_t i = loop->descriptor_count; i < count; i++) {
            grown[i] = (struct rill__descriptor){0};
        }
        loop->descriptors = grown;
        loop->descriptor_count = count;
    }
    *result = &loop->descriptors[index];
    return 0;
}

/* a socket is shown by its repr, a number as it is. */
static const struct rill_error *in_use(int fd, const char *before, const char *after)
{
    return rill_error_new(
        RILL_ERUNTIME,
        "File descriptor %s%d%s is used by transport <_SelectorSocketTransport fd=%d>", before, fd,
        after, fd);
}

static struct rill__descriptor *known(const struct rill_loop *loop, int fd)
{
    return fd >= 0 && (size_t)fd < loop->descriptor_count ? &loop->descriptors[fd] : NULL;
}

int rill__descriptor_claim(struct rill_loop *loop, int fd, const struct rill_error **error)
{
    struct rill__descriptor *descriptor = NULL;
    const int rc = find(loop, fd, &descriptor);
    if (rc < 0) {
        *error = rill_error_new(rc, "Invalid file descriptor: %d", fd);
        return rc;
    }
    if (descriptor->claimed) {
        *error = in_use(fd, "<socket.socket fd=", ">");
        return RILL_ERUNTIME;
    }
    descriptor->claimed = true;
    return 0;
}

void rill__descriptor_release(struct rill_loop *loop, int fd)
{
    struct rill__descriptor *descriptor = known(loop, fd);
    if (descriptor != NULL) {
        descriptor->claimed = false;
    }
}

static struct rill__descriptor *of_watch(const struct rill__watch *watch)
{
    return &watch->loop->descriptors[watch->fd];
}

static void run_readable(struct rill__entry *entry)
{
    const struct rill__descriptor *descriptor =
        of_watch(rill__container(entry, struct rill__watch, on_readable));
    descriptor->on_readable(descriptor->readable_arg);
}

static void run_writable(struct rill__entry *entry)
{
    const struct rill__descriptor *descriptor =
        of_watch(rill__container(entry, struct rill__watch, on_writable));
    descriptor->on_writable(descriptor->writable_arg);
}

static int prepare(struct rill_loop *loop, int fd, struct rill__descriptor **result)
{
    if (fd >= 0 && fcntl(fd, F_GETFD) == -1) { /* libev ends the process when it finds out */
        return rill__fail(rill_error_from_errno(EBADF));
    }
    const int rc = find(loop, fd, result);
    if (rc < 0) {
        return rill__fail(rill_error_new(rc, "Invalid file descriptor: %d", fd));
    }
    if ((*result)->claimed) {
        return rill__fail(in_use(fd, "", ""));
    }
    if ((*result)->watch == NULL) {
        (*result)->watch = rill__watch_new(loop, fd);
        if ((*result)->watch == NULL) {
            return RILL_ENOMEM;
        }
        (*result)->watch->on_readable.run = run_readable;
        (*result)->watch->on_writable.run = run_writable;
    }
    return 0;
}

int rill_add_reader(struct rill_loop *loop, int fd, rill_callback *fn, void *arg)
{
    struct rill__descriptor *descriptor = NULL;
    const int rc = prepare(loop, fd, &descriptor);
    if (rc < 0) {
        return rc;
    }
    descriptor->on_readable = fn;
    descriptor->readable_arg = arg;
    rill__watch_reading(descriptor->watch, true);
    return 0;
}

int rill_add_writer(struct rill_loop *loop, int fd, rill_callback *fn, void *arg)
{
    struct rill__descriptor *descriptor = NULL;
    const int rc = prepare(loop, fd, &descriptor);
    if (rc < 0) {
        return rc;
    }
    descriptor->on_writable = fn;
    descriptor->writable_arg = arg;
    rill__watch_writing(descriptor->watch, true);
    return 0;
}

/* The number may come back as another descriptor, so an unused watch goes at once. */
static void drop_unused(struct rill__descriptor *descriptor)
{
    if (!descriptor->watch->reading && !descriptor->watch->writing) {
        rill__watch_free(descriptor->watch);
        descriptor->watch = NULL;
    }
}

int rill_remove_reader(struct rill_loop *loop, int fd)
{
    struct rill__descriptor *descriptor = known(loop, fd);
    if (descriptor == NULL || descriptor->watch == NULL || !descriptor->watch->reading) {
        return 0;
    }
    rill__watch_reading(descriptor->watch, false);
    drop_unused(descriptor);
    return 1;
}

int rill_remove_writer(struct rill_loop *loop, int fd)
{
    struct rill__descriptor *descriptor = known(loop, fd);
    if (descriptor == NULL || descriptor->watch == NULL || !descriptor->watch->writing) {
        return 0;
    }
    rill__watch_writing(descriptor->watch, false);
    drop_unused(descriptor);
    return 1;
}

void rill__descriptors_cleanup(struct rill_loop *loop)
{
    for (size_t i = 0; i < loop->descriptor_count; i++) {
        rill__watch_free(loop->descriptors[i].watch);
    }
    rill__free(loop->descriptors);
    loop->descriptors = NULL;
    loop->descriptor_count = 0;
}
