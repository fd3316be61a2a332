/* SPDX-License-Identifier: MIT
 *
 * tools/bench's load generator: puts one kind of load on a server that is running already, checks
 * every answer, and prints what the measured window cost the server, as one JSON object on a line.
 */
#include "load_stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <openssl/ssl.h>

enum { SOURCES = 200 };

void load_die(const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    fputs("load: ", stderr);
    vfprintf(stderr, format, arguments);
    fputc('\n', stderr);
    va_end(arguments);
    exit(EXIT_FAILURE);
}

void *load_allocate(size_t count, size_t size)
{
    void *const memory = calloc(count, size);
    if (memory == NULL) {
        load_die("out of memory");
    }
    return memory;
}

/* From many addresses of loopback: one has no more than some 28,000 ports, and one that was closed
 * is not to be had again for a while. */
static bool bind_to_next_source(int fd)
{
    static uint32_t count;
    const int on = 1;
    const struct sockaddr_in source = {
        .sin_family = AF_INET,
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK + count++ % SOURCES),
    };
    return setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on) == 0 &&
           bind(fd, (const struct sockaddr *)&source, sizeof source) == 0;
}

int load_connect(const struct load_options *options, int epoll, uint32_t events, void *data)
{
    const int on = 1;
    const struct sockaddr_in address = {.sin_family = AF_INET,
                                        .sin_port = htons((uint16_t)options->port),
                                        .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct epoll_event event = {.events = events, .data.ptr = data};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || !bind_to_next_source(fd) ||
        connect(fd, (const struct sockaddr *)&address, sizeof address) != 0 ||
        setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on) != 0 ||
        fcntl(fd, F_SETFL, O_NONBLOCK) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) != 0) {
        load_die("cannot connect to port %d: %s", options->port, strerror(errno));
    }
    return fd;
}

int load_wait(const struct load_options *options, int epoll, struct epoll_event *events,
              int events_max)
{
    const int count = epoll_wait(epoll, events, events_max, options->silence_ms);
    if (count == 0) {
        load_die("the server has not answered for %d ms", options->silence_ms);
    }
    if (count < 0 && errno != EINTR) {
        load_die("epoll_wait: %s", strerror(errno));
    }
    return count;
}

static void print_result(const struct load_result *result)
{
    const struct load_sample *const begin = &result->begin;
    const struct load_sample *const end = &result->end;
    printf("{\"operations\": %llu, \"seconds\": %.9f, \"server_cpu_s\": %.9f, "
           "\"server_user_s\": %.3f, \"server_system_s\": %.3f, \"server_involuntary\": %llu, "
           "\"load_involuntary\": %llu, \"server_waited_s\": %.6f, \"load_waited_s\": %.6f, "
           "\"load_cpu_s\": %.9f, \"steal_s\": %.3f, "
           "\"server_private_bytes\": %lld, \"server_rss_bytes\": %lld}\n",
           (unsigned long long)result->operations, end->wall_s - begin->wall_s,
           end->server_cpu_s - begin->server_cpu_s, end->server_user_s - begin->server_user_s,
           end->server_system_s - begin->server_system_s,
           (unsigned long long)(end->server_involuntary - begin->server_involuntary),
           (unsigned long long)(end->load_involuntary - begin->load_involuntary),
           end->server_waited_s - begin->server_waited_s, end->load_waited_s - begin->load_waited_s,
           end->load_cpu_s - begin->load_cpu_s, end->steal_s - begin->steal_s,
           (long long)(end->server_private_bytes - begin->server_private_bytes),
           (long long)(end->server_rss_bytes - begin->server_rss_bytes));
}

static double number(const char *text, const char *what)
{
    char *end;
    const double value = strtod(text, &end);
    if (end == text || *end != '\0' || value < 0) {
        load_die("%s: not a number: %s", what, text);
    }
    return value;
}

struct load {
    const char *name;
    void (*run)(const struct load_options *options, struct load_result *result);
};

/* Positional, because only the driver calls it. */
int main(int argc, char **argv)
{
    static const struct load loads[] = {{"echo", load_echo},
                                        {"lines", load_lines},
                                        {"messages", load_messages},
                                        {"idle", load_idle},
                                        {"connections", load_connections},
                                        {"bulk", load_bulk}};
    struct load_result result = {0};
    if (argc != 9 && argc != 10) {
        fprintf(stderr,
                "usage: %s echo|lines[=BYTES]|messages|idle|connections|bulk PORT SERVER-PID "
                "CONNECTIONS "
                "WARMUP-S "
                "SECONDS REQUESTS SILENCE-MS [CERTIFICATE]\n"
                "REQUESTS 0: as many as fit in SECONDS. With a CERTIFICATE: over TLS.\n",
                argv[0]);
        return 2;
    }
    char *const line_bytes = strchr(argv[1], '=');
    if (line_bytes != NULL) {
        *line_bytes = '\0'; /* ends the load's name */
    }
    const struct load_options options = {
        .line_bytes =
            line_bytes == NULL ? LOAD_LINE_BYTES : (size_t)number(line_bytes + 1, "BYTES"),
        .port = (int)number(argv[2], "PORT"),
        .pid = (pid_t)number(argv[3], "SERVER-PID"),
        .connections = (unsigned)number(argv[4], "CONNECTIONS"),
        .warmup_s = number(argv[5], "WARMUP-S"),
        .seconds = number(argv[6], "SECONDS"),
        .requests = (uint64_t)number(argv[7], "REQUESTS"),
        .silence_ms = (int)number(argv[8], "SILENCE-MS"),
        .tls = argc == 10 ? load_stream_context(argv[9]) : NULL,
    };
    if (options.connections == 0 || options.line_bytes == 0) {
        load_die("CONNECTIONS, BYTES: at least one");
    }
    for (size_t i = 0; i < sizeof loads / sizeof loads[0]; i++) {
        if (strcmp(argv[1], loads[i].name) == 0) {
            loads[i].run(&options, &result);
            print_result(&result);
            SSL_CTX_free(options.tls);
            return EXIT_SUCCESS;
        }
    }
    load_die("no such load: %s", argv[1]);
}
