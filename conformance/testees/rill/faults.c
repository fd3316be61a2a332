/* SPDX-License-Identifier: MIT
 *
 * Scripted faults: each counts the calls that it waits for.
 */
#include "faults.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "connection.h"
#include "names.h"

struct fault {
    struct fault *next; /* in order of the script */
    const char *call;
    int connection; /* 0: of any descriptor */
    long long before;
    long long left;
    struct effect effect;
};

static const struct known {
    const char *call;
    bool of_connection;
} known_calls[] = {
    {"recv", true},    {"send", true},    {"shutdown", true}, {"getsockopt-error", true},
    {"accept", false}, {"socket", false}, {"connect", false}, {"bind", false},
    {"listen", false},
};

static const struct known *find_known(const char *call)
{
    for (size_t i = 0; call != NULL && i < sizeof known_calls / sizeof known_calls[0]; i++) {
        if (strcmp(known_calls[i].call, call) == 0) {
            return &known_calls[i];
        }
    }
    return NULL;
}

bool fault_knows(const char *call)
{
    return find_known(call) != NULL;
}

static long long number_or(const json_t *operation, const char *key, long long absent)
{
    const json_t *number = json_object_get(operation, key);
    return json_is_integer(number) ? json_integer_value(number) : absent;
}

void fault_operation(struct replay *replay, const json_t *operation)
{
    struct fault **link = &replay->seams.faults;
    struct fault *fault = arena_take(&replay->arena, sizeof *fault);
    const char *error = json_string_value(json_object_get(operation, "errno"));
    const struct known *known = find_known(json_string_value(json_object_get(operation, "call")));
    fault->call = known->call;
    fault->connection = known->of_connection ? (int)number_or(operation, "conn", 1) : 0;
    fault->before = number_or(operation, "at", 1) - 1;
    fault->left = number_or(operation, "count", 1);
    fault->effect.os_errno = error != NULL ? errno_of_name(error) : 0;
    fault->effect.most = (size_t)number_or(operation, "short", PTRDIFF_MAX);
    while (*link != NULL) {
        link = &(*link)->next;
    }
    *link = fault;
}

static bool is_meant(const struct replay *replay, const struct fault *fault, const char *call,
                     int fd)
{
    if (fault->left <= 0 || strcmp(fault->call, call) != 0) {
        return false;
    }
    const struct connection *connection = connection_find(replay, fault->connection);
    return fault->connection == 0 ||
           (connection != NULL && fd >= 0 && connection_descriptor(connection) == fd);
}

static bool out_of_resources(int os_errno)
{
    return os_errno == EMFILE || os_errno == ENFILE || os_errno == ENOBUFS || os_errno == ENOMEM;
}

/* Every pending fault counts this call; of those that are due the oldest. */
static struct fault *count_call(struct replay *replay, const char *call, int fd)
{
    struct fault *due = NULL;
    for (struct fault *fault = replay->seams.faults; fault != NULL; fault = fault->next) {
        if (!is_meant(replay, fault, call, fd)) {
            continue;
        }
        if (fault->before > 0) {
            fault->before--;
        } else if (due == NULL) {
            due = fault;
        }
    }
    return due;
}

struct effect fault_meet(struct replay *replay, const char *call, int fd)
{
    struct fault *due = count_call(replay, call, fd);
    if (due == NULL) {
        return (struct effect){.most = PTRDIFF_MAX};
    }
    due->left--;
    if (strcmp(call, "accept") == 0 && out_of_resources(due->effect.os_errno)) {
        replay->seams.accept_again = replay->seams.now + 1;
    }
    return due->effect;
}
