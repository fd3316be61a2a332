/* SPDX-License-Identifier: MIT
 *
 * What the load generator's files share: its options, a sample of the clocks that a result is made
 * of, and the kinds of load. A load that sees a wrong answer, or none for some seconds, ends
 * the program with a message: a server that answers wrongly has no figure.
 */
#ifndef RILL_BENCH_LOAD_H
#define RILL_BENCH_LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum {
    LOAD_LINE_BYTES = 64,
};

struct ssl_ctx_st;

struct load_options {
    int port;
    pid_t pid; /* the server's, for its CPU clock */
    unsigned connections;
    double warmup_s;
    double seconds;
    uint64_t requests;      /* not 0: exactly so many, without warm-up, instead of the times */
    size_t line_bytes;      /* of load_lines */
    int silence_ms;         /* a server that answers nothing for so long has failed */
    struct ssl_ctx_st *tls; /* of load_stream_context; NULL: plain */
};

/* Everything that is read at the begin and at the end of a measured window. */
struct load_sample {
    double wall_s;
    double server_cpu_s;  /* exact: the scheduler's own clock */
    double server_user_s; /* of the same, as the kernel splits it (by ticks, on most kernels) */
    double server_system_s;
    double steal_s;              /* all processors: time that the hypervisor gave to others */
    uint64_t server_involuntary; /* switches away from a server that wanted to go on */
    uint64_t load_involuntary;
    double server_waited_s; /* ready to run while another had the processor */
    double load_waited_s;
    double load_cpu_s;
    uint64_t server_private_bytes; /* of load_take_memory */
    uint64_t server_rss_bytes;
};

struct load_result {
    uint64_t operations;
    struct load_sample begin;
    struct load_sample end;
};

/* Requests and answers in turn on each connection: one 64-byte line out, the same line back. */
void load_echo(const struct load_options *options, struct load_result *result);

/* Lines as fast as the server takes them; its count at the end of each connection must be right.
 * The window ends when the server has counted the last line, so that none in a socket buffer is
 * credited unread. */
void load_lines(const struct load_options *options, struct load_result *result);

/* The same with messages of 1 KiB that end with an empty line. */
void load_messages(const struct load_options *options, struct load_result *result);

/* So many connections that have each echoed one line, all open at the end of the window; requests
 * stand for connections. */
void load_idle(const struct load_options *options, struct load_result *result);

/* A connection for each operation, with one line (over TLS with a full handshake before it). */
void load_connections(const struct load_options *options, struct load_result *result);

/* Bytes echoed as fast as the server takes them, in operations of 64 KiB. */
void load_bulk(const struct load_options *options, struct load_result *result);

void load_take_sample(const struct load_options *options, struct load_sample *sample);
/* The server's memory, of which nobody else has a copy; and its resident set. */
void load_take_memory(const struct load_options *options, struct load_sample *sample);
double load_now_s(void);

/* Connects to the server's port; TCP_NODELAY, non-blocking. Registered for `events` in the epoll
 * set under `data`. */
int load_connect(const struct load_options *options, int epoll, uint32_t events, void *data);

/* epoll_wait that ends the program after silence_ms without any event. */
struct epoll_event;
int load_wait(const struct load_options *options, int epoll, struct epoll_event *events,
              int events_max);

void *load_allocate(size_t count, size_t size);
void load_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

#endif
