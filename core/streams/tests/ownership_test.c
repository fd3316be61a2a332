/* SPDX-License-Identifier: MIT
 *
 * Who frees what, in every order: pairs over memory and sockets, server pairs, loops that end with
 * connections open. Nothing is asserted about leaks here: LeakSanitizer and Valgrind do, over these
 * same programs.
 */
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rill/observe.h>

#include "../../loop/tests/virtual.h"

static int open_pair(struct rill_reader **reader, struct rill_writer **writer, int *peer)
{
    int fds[2];
    CHECK_INT(socketpair(AF_UNIX, SOCK_STREAM, 0, fds), 0);
    const struct rill_connection_options options = {.sock = RILL_SET(fds[0])};
    *peer = fds[1];
    return rill_open_connection(NULL, NULL, &options, reader, writer);
}

/* What the peer of a socket pair reads to its end. */
static size_t read_all(int fd, char *text, size_t size)
{
    size_t used = 0;
    ssize_t count;
    while (used < size && (count = read(fd, text + used, size - used)) > 0) {
        used += (size_t)count;
    }
    close(fd);
    return used;
}

static int free_without_close(void *arg) /* closes */
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    char text[8];
    int peer;

    (void)arg;
    CHECK_INT(open_pair(&reader, &writer, &peer), 0);
    CHECK_INT(rill_writer_write(writer, "abc", 3), 0);
    rill_writer_free(writer);
    rill_writer_free(NULL);
    CHECK_INT(rill_sleep(0), 0);
    CHECK_INT((long long)read_all(peer, text, sizeof text), 3);
    return 0;
}

static int free_while_flushing(void *arg) /* the handle goes, the bytes still flush */
{
    const struct rill_memory_options window = {.window = RILL_SET(4)};
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *peer;

    (void)arg;
    CHECK_INT(rill_open_memory_connection(NULL, &window, &reader, &writer, &peer), 0);
    CHECK_INT(rill_writer_write(writer, "abcdefgh", 8), 0);
    rill_writer_close(writer);
    rill_writer_free(writer);
    CHECK_INT(rill_sleep(0), 0);
    CHECK_INT(rill_memory_peer_end(peer), RILL_MEMORY_OPEN);
    rill_memory_peer_discard(peer, 4);
    CHECK_INT(rill_sleep(0), 0);
    CHECK_INT(rill_sleep(0), 0);
    CHECK_INT((long long)rill_memory_peer_received(peer).len, 4);
    CHECK_INT(rill_memory_peer_end(peer), RILL_MEMORY_FIN);
    rill_memory_peer_free(peer);
    return 0;
}

static int data_after_free(void *arg) /* nobody can read it: discarded */
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *peer;

    (void)arg;
    CHECK_INT(rill_open_memory_connection(NULL, NULL, &reader, &writer, &peer), 0);
    CHECK_INT(rill_memory_peer_send(peer, "x", 1), 0);
    rill_writer_free(writer);
    CHECK_INT(rill_memory_peer_send(peer, "y", 1), 0);
    CHECK_INT(rill_sleep(0), 0);
    CHECK_INT(rill_sleep(0), 0);
    CHECK_INT(rill_memory_peer_end(peer), RILL_MEMORY_RST);
    rill_memory_peer_free(peer);
    return 0;
}

static int peer_freed_first(void *arg)
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *peer;

    (void)arg;
    CHECK_INT(rill_open_memory_connection(NULL, NULL, &reader, &writer, &peer), 0);
    rill_memory_peer_free(peer);
    CHECK_INT(rill_writer_write(writer, "abc", 3), 0);
    rill_writer_close(writer);
    CHECK_INT(rill_writer_wait_closed(writer), 0);
    CHECK_INT(rill_writer_wait_closed(writer), 0);
    rill_writer_free(writer);
    return 0;
}

static int view_outlives_arrivals(
    void *arg) /* architecture: valid until the next read call, whatever arrives */
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *peer;
    struct rill_bytes first;
    char block[3000];

    (void)arg;
    memset(block, 'z', sizeof block);
    CHECK_INT(rill_open_memory_connection(NULL, NULL, &reader, &writer, &peer), 0);
    CHECK_INT(rill_memory_peer_send(peer, "hello\n", 6), 0);
    CHECK_INT(rill_reader_readline(reader, &first), 0);
    for (int i = 0; i < 40; i++) {
        CHECK_INT(rill_memory_peer_send(peer, block, sizeof block), 0);
        CHECK_INT(rill_sleep(0), 0);
    }
    CHECK_INT((long long)first.len, 6);
    CHECK(memcmp(first.ptr, "hello\n", 6) == 0);
    rill_writer_free(writer);
    rill_memory_peer_free(peer);
    return 0;
}

static int open_at_loop_end(void *arg) /* closed without a flush when the loop is freed */
{
    static struct rill_reader *reader;
    static struct rill_writer *writer;
    const struct rill_memory_options window = {.window = RILL_SET(1)};
    struct rill_memory_peer **peer = arg;

    CHECK_INT(rill_open_memory_connection(NULL, &window, &reader, &writer, peer), 0);
    CHECK_INT(rill_writer_write(writer, "abcdef", 6), 0);
    rill_writer_free(writer);
    return 0;
}

static int parked_reader(void *arg)
{
    struct rill_bytes data;
    const int rc = rill_reader_read(arg, 1, &data);
    CHECK_INT(rc, RILL_ECANCELLED);
    return rc;
}

static int task_parked_at_end(void *arg) /* cancelled by the end of run while it reads */
{
    static struct rill_writer *writer;
    struct rill_reader *reader;
    struct rill_memory_peer *peer;

    (void)arg;
    CHECK_INT(rill_open_memory_connection(NULL, NULL, &reader, &writer, &peer), 0);
    rill_memory_peer_free(peer);
    CHECK_INT(rill_task_create(parked_reader, reader, NULL, NULL), 0);
    return rill_sleep(0);
}

static int handle_one(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes data;
    int *handled = arg;
    const int rc = rill_reader_read(reader, 100, &data);
    ++*handled;
    if (rc < 0) {
        return rc;
    }
    if (data.len > 0 && data.ptr[0] == 'f') {
        return rill_task_fail(rill_error_new(RILL_EVALUE, "no"));
    }
    if (data.len > 0 && data.ptr[0] == 'c') {
        rill_writer_close(writer);
    }
    if (data.len > 0 && data.ptr[0] == 'r') {
        rill_writer_free(writer); /* a mistake: the pair is the server's; it only closes */
    }
    return 0;
}

static void ignore_report(void *arg, struct rill_loop *loop,
                          const struct rill_exception_context *context)
{
    (void)loop;
    CHECK_STR(context->message, "Unhandled exception in client_connected_cb");
    ++*(int *)arg;
}

static int server_pairs(void *arg)
{
    static const char *const what[] = {"f", "c", "r", "x"};
    struct rill_server *server;
    struct rill_address address;
    struct rill_bytes data;
    char port[8];
    int handled = 0;
    int reports = 0;

    (void)arg;
    rill_loop_set_exception_handler(rill_running_loop(), ignore_report, &reports);
    CHECK_INT(rill_start_server(handle_one, &handled, "127.0.0.1", NULL, NULL, &server), 0);
    CHECK(rill_server_sockname(server, 0, &address));
    snprintf(port, sizeof port, "%d", address.port);
    for (int i = 0; i < 4; i++) {
        struct rill_reader *reader;
        struct rill_writer *writer;
        CHECK_INT(rill_open_connection("127.0.0.1", port, NULL, &reader, &writer), 0);
        CHECK_INT(rill_writer_write(writer, what[i], 1), 0);
        CHECK_INT(rill_reader_read(reader, -1, &data), 0); /* until the server closes */
        rill_writer_free(writer);
    }
    CHECK_INT(handled, 4);
    CHECK_INT(reports, 1);
    rill_server_close(server);
    CHECK_INT(rill_server_wait_closed(server), 0);
    rill_server_free(server);
    return 0;
}

/* A plain callback that lets go of its pair, or does not, and then fails: freed once. */
static int free_or_not(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    int *called = arg;
    (void)reader;
    if (++*called == 1) {
        rill_writer_free(writer);
    }
    return RILL_EVALUE;
}

static void count_report(void *arg, struct rill_loop *loop,
                         const struct rill_exception_context *context)
{
    (void)loop;
    CHECK_STR(context->message, "Exception in callback StreamReaderProtocol.connection_made()");
    ++*(int *)arg;
}

static int plain_callback_fails(void *arg)
{
    struct rill_server *server;
    struct rill_address address;
    struct rill_bytes data;
    char port[8];
    int called = 0;
    int reports = 0;
    const struct rill_server_options options = {.plain_cb = free_or_not};

    (void)arg;
    rill_loop_set_exception_handler(rill_running_loop(), count_report, &reports);
    CHECK_INT(rill_start_server(NULL, &called, "127.0.0.1", NULL, &options, &server), 0);
    CHECK(rill_server_sockname(server, 0, &address));
    snprintf(port, sizeof port, "%d", address.port);
    for (int i = 0; i < 2; i++) {
        struct rill_reader *reader;
        struct rill_writer *writer;
        CHECK_INT(rill_open_connection("127.0.0.1", port, NULL, &reader, &writer), 0);
        CHECK_INT(rill_reader_read(reader, -1, &data), 0); /* until the server closes */
        rill_writer_free(writer);
    }
    CHECK_INT(called, 2);
    CHECK_INT(reports, 2);
    rill_server_close(server);
    CHECK_INT(rill_server_wait_closed(server), 0);
    rill_server_free(server);
    return 0;
}

static int server_left_running(
    void *arg) /* the handle goes, it keeps serving, the loop's end closes it */
{
    struct rill_server *server;
    struct rill_address address;
    struct rill_reader *reader;
    struct rill_writer *writer;
    char port[8];
    static int handled;

    (void)arg;
    CHECK_INT(rill_start_server(handle_one, &handled, "127.0.0.1", NULL, NULL, &server), 0);
    CHECK(rill_server_sockname(server, 0, &address));
    rill_server_free(server);
    snprintf(port, sizeof port, "%d", address.port);
    CHECK_INT(rill_open_connection("127.0.0.1", port, NULL, &reader, &writer), 0);
    rill_writer_free(writer);
    return 0;
}

static int handle_and_stop(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes line;
    (void)writer;
    CHECK_INT(rill_reader_readline(reader, &line), 0);
    ++*(int *)arg;
    rill_loop_stop(rill_running_loop()); /* the loop ends while this task waits */
    return rill_reader_readline(reader, &line);
}

static int serve_and_send(void *arg)
{
    struct rill_server *server;
    struct rill_address address;
    struct rill_reader *reader;
    struct rill_writer *writer;
    char port[8];

    CHECK_INT(rill_start_server(handle_and_stop, arg, "127.0.0.1", NULL, NULL, &server), 0);
    CHECK(rill_server_sockname(server, 0, &address));
    rill_server_free(server);
    snprintf(port, sizeof port, "%d", address.port);
    CHECK_INT(rill_open_connection("127.0.0.1", port, NULL, &reader, &writer), 0);
    CHECK_INT(rill_writer_write(writer, "x\n", 2), 0);
    rill_writer_free(writer);
    return 0;
}

/* A loop that is stopped and freed while a handler waits in a read: the pair goes with it. */
static void loop_ends_under_handler(void)
{
    struct rill_loop *loop;
    int handled = 0;

    CHECK_INT(rill_loop_new(NULL, &loop), 0);
    const struct rill_task_options options = {.loop = loop};
    CHECK_INT(rill_task_create(serve_and_send, &handled, &options, NULL), 0);
    CHECK_INT(rill_loop_run_forever(loop), 0);
    CHECK_INT(handled, 1);
    rill_loop_free(loop);
}

static const struct {
    int line;
    rill_task_fn *fn;
} rows[] = {
    {__LINE__, free_without_close},     {__LINE__, free_while_flushing},
    {__LINE__, data_after_free},        {__LINE__, peer_freed_first},
    {__LINE__, view_outlives_arrivals}, {__LINE__, server_pairs},
    {__LINE__, server_left_running},    {__LINE__, task_parked_at_end},
    {__LINE__, plain_callback_fails},
};

int main(void)
{
    struct rill_memory_peer *peer = NULL;
    struct virtual_time time = {0};

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        time = (struct virtual_time){0};
        const int rc = run_virtual(rows[i].fn, NULL, &time);
        CHECK_INT_ROW(rows[i].line, rc, 0);
    }
    loop_ends_under_handler();
    CHECK_INT(run_virtual(open_at_loop_end, &peer, &time), 0);
    CHECK_INT((long long)rill_memory_peer_received(peer).len, 1);
    CHECK_INT(rill_memory_peer_end(peer), RILL_MEMORY_FIN);
    rill_memory_peer_free(peer);
    return check_report("ownership");
}
