/* SPDX-License-Identifier: MIT
 *
 * Making connections: one attempt at one address (loop.sock_connect, 5.3).
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>

#include "loop/poller.h"
#include "loop/tasks.h"
#include "net/address.h"
#include "sansio/memory.h"

struct attempt {
    struct rill__wait wait;
    struct rill__watch *watch;
    struct rill_loop *loop;
    int fd;
    int os_errno;
};

/* _sock_connect_cb: the socket is writable, so the attempt has an outcome; the task runs one
 * iteration later. The entry belongs to a watch, which knows the loop; the attempt is found by the
 * watch's owner. */
static void writable(struct rill__entry *entry)
{
    struct rill__watch *watch = rill__container(entry, struct rill__watch, on_writable);
    struct attempt *attempt = watch->owner;
    unsigned length = sizeof attempt->os_errno;
    const struct rill_sys *sys = attempt->loop->sys;

    if (sys->getsockopt(sys->arg, attempt->fd, SOL_SOCKET, SO_ERROR, &attempt->os_errno, &length) <
        0) {
        attempt->os_errno = errno;
    }
    rill__watch_writing(watch, false);
    rill__wait_complete(&attempt->wait, 0);
}

/* Waits for the outcome of a connect in progress: 0, RILL_ECANCELLED, or RILL_ENOMEM. */
static int await_outcome(struct attempt *attempt, struct rill_task *task)
{
    attempt->watch = rill__watch_new(attempt->loop, attempt->fd);
    if (attempt->watch == NULL) {
        return RILL_ENOMEM;
    }
    attempt->watch->owner = attempt;
    attempt->watch->on_writable.run = writable;
    rill__wait_init(&attempt->wait, task);
    rill__watch_writing(attempt->watch, true);
    const int rc = rill__wait(&attempt->wait, NULL);
    rill__watch_free(attempt->watch);
    return rc;
}

static const struct rill_error *connect_failed(int os_errno,
                                               const struct rill__endpoint_address *address)
{
    char text[192];
    rill__endpoint_text(address, text, sizeof text);
    return rill_error_from_errno_text(os_errno, "Connect call failed %s", text); /* */
}

void rill__errors_cleanup(struct rill__errors *errors)
{
    for (size_t i = 0; i < errors->count; i++) {
        rill_error_unref(errors->items[i]);
    }
    rill__free(errors->items);
    errors->items = NULL;
    errors->count = 0;
}

int rill__errors_add(struct rill__errors *errors, const struct rill_error *error)
{
    const struct rill_error **items =
        rill__realloc(errors->items, (errors->count + 1) * sizeof(items[0]));
    if (items == NULL) {
        rill_error_unref(error);
        return RILL_ENOMEM;
    }
    errors->items = items;
    items[errors->count++] = error;
    return 0;
}

int rill__connect_socket(struct rill_loop *loop, int fd,
                         const struct rill__endpoint_address *address,
                         const struct rill_error **error)
{
    struct attempt attempt = {.loop = loop, .fd = fd};
    const struct rill_sys *sys = loop->sys;
    struct rill_task *task;

    *error = NULL;
    if (address->port < 0 || address->port > 65535) { /* */
        *error = rill_error_new(RILL_EOVERFLOW, "connect(): port must be 0-65535.");
        return RILL_EOVERFLOW;
    }
    if (sys->connect(sys->arg, fd, (const struct sockaddr *)(const void *)&address->storage,
                     address->length) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS && errno != EINTR && errno != EAGAIN) {
        *error = rill_error_from_errno(errno);
        return (*error)->code;
    }
    int rc = rill__require_task(&task);
    if (rc == 0) {
        rc = await_outcome(&attempt, task);
    }
    if (rc == RILL_ECANCELLED) {
        *error = rill_error_cancelled();
    } else if (rc < 0) {
        *error = rill_error_new(rc, "%s", "");
    } else if (attempt.os_errno != 0) {
        *error = connect_failed(attempt.os_errno, address);
        rc = (*error)->code;
    }
    return rc;
}

/* "family=<AddressFamily.AF_INET: 2>", as Python shows it. */
static const struct rill_error *no_local_address(int family)
{
    const char *name = family == AF_INET    ? "AF_INET"
                       : family == AF_INET6 ? "AF_INET6"
                                            : "AF_UNSPEC";
    return rill_error_from_errno_text(
        0, "no matching local address with family=<AddressFamily.%s: %d> found", name, family);
}

/* Adds the failure that stands in *error, if there is one, to those of the attempt: it is told if
 * the attempt fails later. */
static int keep(struct rill__errors *errors, const struct rill_error **error)
{
    const struct rill_error *kept = *error;
    *error = NULL;
    return kept == NULL ? 0 : rill__errors_add(errors, kept);
}

/* Binds to the first local address of the family that takes it. 0, or the
 * OSError's code with *error. */
static int bind_local(const struct attempt *attempt, int family,
                      const struct rill__address_list *locals, struct rill__errors *errors,
                      const struct rill_error **error)
{
    const struct rill_sys *sys = attempt->loop->sys;

    for (size_t i = 0; i < locals->count; i++) {
        const struct rill__endpoint_address *local = &locals->items[i];
        if (local->family != family) {
            continue;
        }
        if (local->port < 0 || local->port > 65535) { /* as R-545: this ends the whole call */
            rill_error_unref(*error);
            *error = rill_error_new(RILL_EOVERFLOW, "bind(): port must be 0-65535.");
            return RILL_EOVERFLOW;
        }
        if (sys->bind(sys->arg, attempt->fd, (const struct sockaddr *)(const void *)&local->storage,
                      local->length) == 0) {
            return keep(errors, error);
        }
        const int os_errno = errno;
        if (keep(errors, error) < 0) {
            return RILL_ENOMEM;
        }
        *error = rill__bind_error(os_errno, local);
    }
    if (*error == NULL) {
        *error = no_local_address(family);
    }
    return (*error)->code;
}

static bool is_os_error(int code)
{
    return code != RILL_ECANCELLED && code != RILL_EOVERFLOW && code != RILL_ENOMEM;
}

static int make_socket(struct attempt *attempt, const struct rill__endpoint_address *address,
                       const struct rill_error **error)
{
    const struct rill_sys *sys = attempt->loop->sys;
    attempt->fd = sys->socket(sys->arg, address->family, address->type, address->protocol);
    if (attempt->fd < 0) {
        *error = rill_error_from_errno(errno);
        return (*error)->code;
    }
    const int rc = rill__set_nonblocking(attempt->loop, attempt->fd);
    if (rc < 0) {
        *error = rill_error_from_errno(-rc);
        return (*error)->code;
    }
    return 0;
}

int rill__connect(struct rill_loop *loop, const struct rill__endpoint_address *address,
                  const struct rill__address_list *locals, struct rill__errors *errors,
                  const struct rill_error **error)
{
    struct attempt attempt = {.loop = loop, .fd = -1};

    *error = NULL;
    int rc = make_socket(&attempt, address, error);
    if (rc == 0 && locals != NULL) {
        rc = bind_local(&attempt, address->family, locals, errors, error);
    }
    if (rc == 0) {
        rc = rill__connect_socket(loop, attempt.fd, address, error);
    }
    if (rc == 0) {
        return attempt.fd;
    }
    if (attempt.fd >= 0) {
        rill__close(loop, attempt.fd);
    }
    if (is_os_error(rc)) {
        const int added = rill__errors_add(errors, *error);
        *error = NULL;
        return added < 0 ? added : rc;
    }
    return rc;
}
