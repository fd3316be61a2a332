/* SPDX-License-Identifier: MIT
 *
 * Runs a function that should kill its process, in a child, and tells how the child ended and what
 * it said.
 */
#ifndef RILL_CORO_TESTS_DEATH_H
#define RILL_CORO_TESTS_DEATH_H

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

struct death {
    int signal; /* 0 when it exited */
    int status;
    char said[4096]; /* the beginning of what it wrote to stderr */
};

static inline void death_child(void (*act)(void *arg), void *arg, const int *ends)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)dup2(ends[1], STDERR_FILENO);
    (void)close(ends[0]);
    (void)close(ends[1]);
    /* A sanitizer's handler would turn the signal into an exit: let the kernel have it. */
    (void)signal(SIGSEGV, SIG_DFL);
    (void)signal(SIGBUS, SIG_DFL);
    (void)signal(SIGABRT, SIG_DFL);
    act(arg);
    _exit(0);
}

static inline struct death death_of(void (*act)(void *arg), void *arg)
{
    struct death death = {0};
    size_t length = 0;
    char rest[512];
    int ends[2];
    int status = 0;
    pid_t child;

    if (pipe(ends) != 0) {
        abort();
    }
    child = fork();
    if (child < 0) {
        abort();
    }
    if (child == 0) {
        death_child(act, arg, ends);
    }
    (void)close(ends[1]);
    for (;;) {
        const size_t room = sizeof(death.said) - 1 - length;
        const ssize_t got =
            read(ends[0], room > 0 ? death.said + length : rest, room > 0 ? room : sizeof(rest));

        if (got <= 0) {
            break;
        }
        length += room > 0 ? (size_t)got : 0;
    }
    (void)close(ends[0]);
    if (waitpid(child, &status, 0) != child) {
        abort();
    }
    death.signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
    death.status = WIFEXITED(status) ? WEXITSTATUS(status) : 0;
    return death;
}

#endif
