// SPDX-License-Identifier: MIT
//
// A preloaded library that gives libuv a virtual clock and asks a program what to do whenever libuv
// would wait. Nothing but libuv is affected: every call is judged by the library that makes it, so
// Python's own clock stays real. The testee of uvloop (cpython_uvloop.py) builds it and sets the
// hook.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <time.h>

enum { RILL_SHIM_RETURN = -1, NANOSECONDS = 1000000000 };

// Is told how many descriptors are ready and the milliseconds that libuv would wait (-1: for ever).
// Answers RILL_SHIM_RETURN when libuv may have its answer, or else for how many milliseconds the
// descriptors are polled again.
typedef int rill_shim_hook(int ready, int timeout);

void rill_shim_set_hook(rill_shim_hook *hook);
void rill_shim_set_time(uint64_t nanoseconds);

static struct {
    rill_shim_hook *hook;
    uint64_t now;
} shim; // of the one thread that runs the loop; libuv's other threads ask for no time

void rill_shim_set_hook(rill_shim_hook *hook)
{
    shim.hook = hook;
}

void rill_shim_set_time(uint64_t nanoseconds)
{
    shim.now = nanoseconds;
}

// Whether that code is libuv's: a library of its own, or linked into uvloop's extension module.
static bool is_libuv(const void *code)
{
    Dl_info info;
    return dladdr(code, &info) != 0 && info.dli_fname != NULL &&
           (strstr(info.dli_fname, "/libuv.so") != NULL ||
            strstr(info.dli_fname, "/uvloop/") != NULL);
}

typedef int clock_function(clockid_t, struct timespec *);
typedef int pwait_function(int, struct epoll_event *, int, int, const sigset_t *);

// POSIX wants functions to fit into what dlsym gives; C itself knows no such conversion.
static void find(const char *name, void *function, size_t size)
{
    void *found = dlsym(RTLD_NEXT, name);
    memcpy(function, &found, size);
}

int clock_gettime(clockid_t clock, struct timespec *time)
{
    static clock_function *real;
    if (real == NULL) {
        find("clock_gettime", &real, sizeof real);
    }
    bool monotonic = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE;
    if (shim.hook == NULL || !monotonic || !is_libuv(__builtin_return_address(0))) {
        return real(clock, time);
    }
    time->tv_sec = (time_t)(shim.now / NANOSECONDS);
    time->tv_nsec = (long)(shim.now % NANOSECONDS);
    return 0;
}

static int real_pwait(int fd, struct epoll_event *events, int room, int timeout,
                      const sigset_t *mask)
{
    static pwait_function *real;
    if (real == NULL) {
        find("epoll_pwait", &real, sizeof real);
    }
    return real(fd, events, room, timeout, mask);
}

// Polls without waiting until something is ready that the hook lets pass.
static int wait_virtually(int fd, struct epoll_event *events, int room, int timeout,
                          const sigset_t *mask)
{
    int ready = real_pwait(fd, events, room, 0, mask);
    for (;;) {
        int more = ready < 0 ? RILL_SHIM_RETURN : shim.hook(ready, timeout);
        if (more == RILL_SHIM_RETURN) {
            return ready;
        }
        ready = real_pwait(fd, events, room, more, mask);
        if (ready != 0) {
            return ready;
        }
    }
}

int epoll_pwait(int fd, struct epoll_event *events, int room, int timeout, const sigset_t *mask)
{
    if (shim.hook == NULL || !is_libuv(__builtin_return_address(0))) {
        return real_pwait(fd, events, room, timeout, mask);
    }
    return wait_virtually(fd, events, room, timeout, mask);
}

int epoll_wait(int fd, struct epoll_event *events, int room, int timeout)
{
    if (shim.hook == NULL || !is_libuv(__builtin_return_address(0))) {
        return real_pwait(fd, events, room, timeout, NULL);
    }
    return wait_virtually(fd, events, room, timeout, NULL);
}
