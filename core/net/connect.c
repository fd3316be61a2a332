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

static int connect_socket(struct attempt *attempt, const struct rill__endpoint_address *address,
                          const struct rill_error **error)
{
    const struct rill_sys *sys = attempt->loop->sys;
    struct rill_task *task;

    if (address->port < 0 || address->port > 65535) { /* */
        *error = rill_error_new(RILL_EOVERFLOW, "connect(): port must be 0-65535.");
        return RILL_EOVERFLOW;
    }
    if (sys->connect(sys->arg, attempt->fd,
                     (const struct sockaddr *)(const void *)&address->storage,
                     address->length) == 0) {
        return 0;
    }
    if (errno != EINPROGRESS && errno != EINTR && errno != EAGAIN) {
        *error = rill_error_from_errno(errno);
        return (*error)->code;
    }
    int rc = rill__require_task(&task);
    if (rc == 0) {
        rc = await_outcome(attempt, task);
    }
    if (rc == RILL_ECANCELLED) {
        *error = rill_error_cancelled();
    } else if (rc < 0) {
        *error = rill_error_new(rc, "%s", "");
    } else if (attempt->os_errno != 0) {
        *error = connect_failed(attempt->os_errno, address);
        rc = (*error)->code;
    }
    return rc;
}

int rill__connect(struct rill_loop *loop, const struct rill__endpoint_address *address,
                  const struct rill_error **error)
{
    struct attempt attempt = {.loop = loop};
    const struct rill_sys *sys = loop->sys;

    *error = NULL;
    attempt.fd = sys->socket(sys->arg, address->family, address->type, address->protocol);
    if (attempt.fd < 0) {
        *error = rill_error_from_errno(errno);
        return (*error)->code;
    }
    const int nonblocking = rill__set_nonblocking(loop, attempt.fd);
    if (nonblocking < 0) {
        *error = rill_error_from_errno(-nonblocking);
        rill__close(loop, attempt.fd);
        return (*error)->code;
    }
    const int rc = connect_socket(&attempt, address, error);
    if (rc < 0) {
        rill__close(loop, attempt.fd);
        return rc;
    }
    return attempt.fd;
}
