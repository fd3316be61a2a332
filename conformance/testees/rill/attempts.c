/* SPDX-License-Identifier: MIT
 *
 * Scripted connects.
 */
#include "attempts.h"

#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "connection.h"
#include "events.h"
#include "listeners.h"
#include "names.h"

enum { ADDRESS_TEXT_SIZE = 128, CHUNK_SIZE = 4096 };

struct attempt {
    struct attempt *next;
    const char *address; /* as the script writes it */
    int fd;              /* the library's; -1: closed, or a connection's */
    int parked;   /* the real socket while another file stands in its place; -1: it does not */
    int plug;     /* the other end of that file; -1: none */
    double due;   /* infinity: never */
    bool ripe;    /* its moment has come */
    int os_errno; /* 0: it connects really */
};

static const json_t *find_line(const struct replay *replay, const char *address)
{
    const json_t *lines = json_object_get(replay->script, "connect");
    for (size_t i = 0; i < json_array_size(lines); i++) {
        const json_t *line = json_array_get(lines, i);
        if (strcmp(json_string_value(json_object_get(line, "address")), address) == 0) {
            return line;
        }
    }
    return NULL;
}

static void tell(const struct replay *replay, const struct attempt *attempt, const char *what)
{
    emit(replay, json_pack("{s:s, s:s, s:s, s:f}", "ev", "attempt", "address", attempt->address,
                           "what", what, "at", replay->seams.now));
}

static struct attempt *attempt_new(struct replay *replay, const json_t *line, int fd)
{
    const json_t *after = json_object_get(line, "after");
    const char *outcome = json_string_value(json_object_get(line, "outcome"));
    const char *error = json_string_value(json_object_get(line, "errno"));
    const bool never = outcome != NULL && strcmp(outcome, "never") == 0;
    struct attempt **link = &replay->seams.attempts;
    struct attempt *attempt = arena_take(&replay->arena, sizeof *attempt);
    attempt->address = json_string_value(json_object_get(line, "address"));
    attempt->fd = fd;
    attempt->parked = -1;
    attempt->plug = -1;
    attempt->due = never ? INFINITY : replay->seams.now + json_number_value(after);
    attempt->ripe = !never && after == NULL;
    attempt->os_errno = error != NULL ? errno_of_name(error) : 0;
    while (*link != NULL) { /* in order: a poll shows those first that began first */
        link = &(*link)->next;
    }
    *link = attempt;
    return attempt;
}

/* Fills the send buffer, so that the socket is not writable. */
static void plug_up(int fd)
{
    static const char chunk[CHUNK_SIZE];
    while (send(fd, chunk, sizeof chunk, MSG_DONTWAIT | MSG_NOSIGNAL) > 0) {
    }
}

/* Puts one end of a socketpair in the place of the library's socket, which is kept aside. */
static void park(struct attempt *attempt)
{
    int ends[2];
    attempt->parked = fcntl(attempt->fd, F_DUPFD_CLOEXEC, 0);
    if (attempt->parked < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) != 0) {
        fprintf(stderr, "rill-testee: no descriptors for a scripted connect\n");
        exit(EXIT_FAILURE);
    }
    plug_up(ends[0]);
    dup3(ends[0], attempt->fd, O_CLOEXEC);
    close(ends[0]);
    attempt->plug = ends[1];
}

static void close_aside(struct attempt *attempt)
{
    if (attempt->parked >= 0) {
        close(attempt->parked);
    }
    if (attempt->plug >= 0) {
        close(attempt->plug);
    }
    attempt->parked = -1;
    attempt->plug = -1;
}

/* Connects to the case's listener of the socket's family, blocking; 0 or -1. */
static int connect_really(const struct replay *replay, int fd)
{
    struct sockaddr_storage address;
    socklen_t length;
    int family = 0;
    socklen_t size = sizeof family;
    getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &family, &size);
    if (!listener_address(replay, family, &address, &length)) {
        errno = ENETUNREACH;
        return -1;
    }
    const int flags = fcntl(fd, F_GETFL);
    fcntl(fd, F_SETFL, flags & ~O_NONBLOCK);
    const int result = connect(fd, (const struct sockaddr *)(const void *)&address, length);
    const int os_errno = errno;
    fcntl(fd, F_SETFL, flags);
    errno = os_errno;
    return result;
}

bool attempt_connect(struct replay *replay, int fd, const struct sockaddr *address, unsigned length,
                     int *result)
{
    char text[ADDRESS_TEXT_SIZE];
    if (getnameinfo(address, length, text, sizeof text, NULL, 0, NI_NUMERICHOST) != 0) {
        return false;
    }
    const json_t *line = find_line(replay, text);
    if (line == NULL) {
        return false;
    }
    struct attempt *attempt = attempt_new(replay, line, fd);
    tell(replay, attempt, "start");
    *result = -1;
    if (!attempt->ripe) {
        park(attempt);
        attempts_ripen(replay); /* `after 0`: the next poll sees it */
        errno = EINPROGRESS;
    } else if (attempt->os_errno != 0) {
        errno = attempt->os_errno;
    } else {
        *result = connect_really(replay, fd);
    }
    return true;
}

static struct attempt *find_attempt(const struct replay *replay, int fd)
{
    for (struct attempt *attempt = replay->seams.attempts; attempt != NULL;
         attempt = attempt->next) {
        if (attempt->fd == fd) { /* that of a closed one is -1 */
            return attempt;
        }
    }
    return NULL;
}

bool attempt_outcome(struct replay *replay, int fd, int *os_errno)
{
    struct attempt *attempt = find_attempt(replay, fd);
    if (attempt == NULL || attempt->parked < 0 || !attempt->ripe) {
        return false;
    }
    *os_errno = attempt->os_errno;
    if (*os_errno == 0 && connect_really(replay, attempt->parked) != 0) {
        *os_errno = errno;
    }
    dup3(attempt->parked, fd, O_CLOEXEC); /* the library has its own socket again */
    close_aside(attempt);
    return true;
}

static bool is_a_connections(const struct replay *replay, int fd)
{
    for (const struct connection *connection = replay->connections; connection != NULL;
         connection = connection->next) {
        if (connection_descriptor(connection) == fd) {
            return true;
        }
    }
    return false;
}

void attempt_closed(struct replay *replay, int fd)
{
    struct attempt *attempt = find_attempt(replay, fd);
    if (attempt == NULL) {
        return;
    }
    if (!is_a_connections(replay, fd)) {
        tell(replay, attempt, "closed");
    }
    close_aside(attempt);
    attempt->ripe = true;
    attempt->fd = -1;
}

bool attempts_under_way(const struct replay *replay)
{
    for (const struct attempt *attempt = replay->seams.attempts; attempt != NULL;
         attempt = attempt->next) {
        if (!attempt->ripe) {
            return true;
        }
    }
    return false;
}

double attempts_next(const struct replay *replay)
{
    double next = INFINITY;
    for (const struct attempt *attempt = replay->seams.attempts; attempt != NULL;
         attempt = attempt->next) {
        if (!attempt->ripe) {
            next = fmin(next, attempt->due);
        }
    }
    return next;
}

/* Empties the file that stands in the socket's place: it becomes writable. */
static void unplug(const struct attempt *attempt)
{
    char chunk[CHUNK_SIZE];
    while (recv(attempt->plug, chunk, sizeof chunk, MSG_DONTWAIT) > 0) {
    }
}

void attempts_ripen(struct replay *replay)
{
    for (struct attempt *attempt = replay->seams.attempts; attempt != NULL;
         attempt = attempt->next) {
        if (!attempt->ripe && attempt->due <= replay->seams.now) {
            attempt->ripe = true;
            unplug(attempt);
        }
    }
}

void attempts_cleanup(struct replay *replay)
{
    for (struct attempt *attempt = replay->seams.attempts; attempt != NULL;
         attempt = attempt->next) {
        close_aside(attempt);
    }
    replay->seams.attempts = NULL;
}
