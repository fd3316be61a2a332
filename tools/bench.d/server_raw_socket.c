/* SPDX-License-Identifier: MIT
 *
 * The raw server's sockets, and the check of lines, for both of its halves.
 */
#include "server_raw.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

void raw_die(const char *what)
{
    perror(what);
    exit(EXIT_FAILURE);
}

void raw_listen(int *listener, int *epoll)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t length = sizeof address;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    *listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    *epoll = epoll_create1(EPOLL_CLOEXEC);
    if (*listener < 0 || *epoll < 0 ||
        bind(*listener, (const struct sockaddr *)&address, sizeof address) != 0 ||
        listen(*listener, 1024) != 0 ||
        getsockname(*listener, (struct sockaddr *)&address, &length) != 0 ||
        epoll_ctl(*epoll, EPOLL_CTL_ADD, *listener, &event) != 0) {
        raw_die("listen");
    }
    printf("listening port=%d pid=%ld\n", ntohs(address.sin_port), (long)getpid());
    fflush(stdout);
}

int raw_accept(int listener)
{
    const int on = 1;
    for (;;) {
        const int fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            if (setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) == 0) {
                return fd;
            }
            close(fd);
        } else if (errno == EAGAIN) {
            return -1;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            raw_die("accept4");
        }
    }
}

ssize_t raw_send(int fd, const char *data, size_t size)
{
    const ssize_t sent = send(fd, data, size, MSG_NOSIGNAL);
    if (sent >= 0) {
        return sent;
    }
    return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

bool raw_has_line_too_long(const char *data, size_t size)
{
    while (size > LINE_LIMIT_BYTES) {
        const char *const newline = memchr(data, '\n', LINE_LIMIT_BYTES + 1);
        if (newline == NULL) {
            return true;
        }
        size -= (size_t)(newline + 1 - data);
        data = newline + 1;
    }
    return false;
}
