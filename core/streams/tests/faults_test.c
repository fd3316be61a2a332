/* SPDX-License-Identifier: MIT
 *
 * System calls that fail, through the table of rill/sys.h: what streams say of them, and that
 * nothing stays open.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <rill/observe.h>
#include <rill/sys.h>

#include "../../loop/tests/virtual.h"

/* One planned failure: the first `times` calls of `call` answer os_errno; or `partial` bytes are
 * sent at most. */
struct plan {
    const char *call;
    int os_errno;
    int times;
    size_t partial;
    int made; /* calls that failed */
};

static bool fails(struct plan *plan, const char *call)
{
    if (plan->call == NULL || strcmp(plan->call, call) != 0 || plan->made >= plan->times) {
        return false;
    }
    plan->made++;
    errno = plan->os_errno;
    return true;
}

static int fail_socket(void *arg, int family, int type, int protocol)
{
    return fails(arg, "socket") ? -1 : rill_sys_kernel()->socket(NULL, family, type, protocol);
}

static int fail_connect(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    return fails(arg, "connect") ? -1 : rill_sys_kernel()->connect(NULL, fd, address, length);
}

static int fail_bind(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    return fails(arg, "bind") ? -1 : rill_sys_kernel()->bind(NULL, fd, address, length);
}

static int fail_listen(void *arg, int fd, int backlog)
{
    return fails(arg, "listen") ? -1 : rill_sys_kernel()->listen(NULL, fd, backlog);
}

static int fail_accept(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    return fails(arg, "accept") ? -1 : rill_sys_kernel()->accept(NULL, fd, address, length);
}

static ssize_t fail_recv(void *arg, int fd, void *space, size_t size)
{
    return fails(arg, "receive") ? -1 : rill_sys_kernel()->recv(NULL, fd, space, size);
}

static ssize_t fail_readv(void *arg, int fd, const struct iovec *parts, int count)
{
    return fails(arg, "receive") ? -1 : rill_sys_kernel()->readv(NULL, fd, parts, count);
}

static ssize_t fail_send(void *arg, int fd, const void *data, size_t size)
{
    struct plan *plan = arg;
    if (fails(plan, "send")) {
        return -1;
    }
    if (plan->partial > 0 && size > plan->partial) {
        size = plan->partial;
    }
    return rill_sys_kernel()->send(NULL, fd, data, size);
}

static struct rill_sys planned(struct plan *plan)
{
    struct rill_sys sys = *rill_sys_kernel();
    sys.socket = fail_socket;
    sys.connect = fail_connect;
    sys.bind = fail_bind;
    sys.listen = fail_listen;
    sys.accept = fail_accept;
    sys.recv = fail_recv;
    sys.readv = fail_readv;
    sys.send = fail_send;
    sys.arg = plan;
    return sys;
}

static int echo(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes line;
    int rc;
    (void)arg;
    while ((rc = rill_reader_next_line(reader, &line)) > 0) {
        rill_writer_write(writer, line.ptr, line.len);
        if (rill_writer_drain(writer) < 0) {
            return 0;
        }
    }
    rill_writer_close(writer);
    return 0;
}

struct outcome {
    int rc;
    char text[256];
    int reports;
};

static void count_report(void *arg, struct rill_loop *loop,
                         const struct rill_exception_context *context)
{
    struct outcome *outcome = arg;
    (void)loop;
    (void)context;
    outcome->reports++;
}

/* One line to an echo server and back; the first error is the outcome. */
static int exchange(struct outcome *outcome)
{
    struct rill_server *server = NULL;
    struct rill_reader *reader = NULL;
    struct rill_writer *writer = NULL;
    struct rill_address address;
    struct rill_bytes line;
    char port[8];

    int rc = rill_start_server(echo, NULL, "127.0.0.1", NULL, NULL, &server);
    if (rc < 0) {
        return rc;
    }
    rill_server_sockname(server, 0, &address);
    snprintf(port, sizeof port, "%d", address.port);
    rc = rill_open_connection("127.0.0.1", port, NULL, &reader, &writer);
    if (rc == 0) {
        CHECK_INT(rill_writer_write(writer, "0123456789\n", 11), 0);
        rc = rill_writer_drain(writer);
    }
    if (rc == 0) {
        rc = rill_reader_readline(reader, &line);
        CHECK(rc < 0 || (line.len == 11 && memcmp(line.ptr, "0123456789\n", 11) == 0));
    }
    if (rc < 0) {
        snprintf(outcome->text, sizeof outcome->text, "%s", rill_task_error()->text);
    }
    if (writer != NULL) {
        rill_writer_close(writer);
        rill_writer_wait_closed(writer);
    }
    rill_writer_free(writer);
    rill_server_close(server);
    rill_server_wait_closed(server);
    rill_server_free(server);
    return rc;
}

static int run_exchange(void *arg)
{
    struct outcome *outcome = arg;
    rill_loop_set_exception_handler(rill_running_loop(), count_report, outcome);
    outcome->rc = exchange(outcome);
    if (outcome->rc < 0 && outcome->text[0] == '\0') {
        snprintf(outcome->text, sizeof outcome->text, "%s", rill_task_error()->text);
    }
    return 0;
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return count;
}

static const struct {
    int line;
    struct plan plan;
    int want_rc;
    const char *want_text; /* of the error; a trailing * matches the rest */
    int want_reports;
} rows[] = {
    {__LINE__, {NULL, 0, 0, 0, 0}, 0, "", 0},
    {__LINE__, {NULL, 0, 0, 1, 0}, 0, "", 0}, /* one byte a send */
    {__LINE__, {"send", EAGAIN, 3, 2, 0}, 0, "", 0},
    {__LINE__, {"send", EINTR, 3, 0, 0}, 0, "", 0},
    {__LINE__, {"receive", EAGAIN, 4, 0, 0}, 0, "", 0}, /* */
    {__LINE__, {"receive", EINTR, 4, 0, 0}, 0, "", 0},
    {__LINE__, {"accept", EAGAIN, 1, 0, 0}, 0, "", 0},
    {__LINE__, {"accept", ECONNABORTED, 3, 0, 0}, 0, "", 0}, /* the batch goes on */
    {__LINE__,
     {"accept", EMFILE, 1, 0, 0},
     0,
     "",
     1}, /* one report, a second later it goes on */
    {__LINE__, {"accept", ENOBUFS, 2, 0, 0}, 0, "", 2},
    {__LINE__, {"accept", EPERM, 1, 0, 0}, 0, "", 1}, /* */
    {__LINE__,
     {"socket", EMFILE, 1, 0, 0},
     RILL_EOS,
     "could not bind on any address out of [('127.0.0.1', 0)]",
     0},
    {__LINE__,
     {"bind", EADDRINUSE, 1, 0, 0},
     RILL_EOS,
     "[Errno 98] error while attempting to bind on address ('127.0.0.1', 0): [errno 98] address "
     "already in use",
     0},
    {__LINE__,
     {"bind", EADDRNOTAVAIL, 1, 0, 0},
     RILL_EOS,
     "could not bind on any address out of [('127.0.0.1', 0)]",
     0},
    {__LINE__, {"listen", EADDRINUSE, 1, 0, 0}, RILL_EOS, "[Errno 98] Address already in use", 0},
    {__LINE__,
     {"connect", ENETUNREACH, 1, 0, 0},
     RILL_EOS,
     "[Errno 101] Network is unreachable",
     0},
    {__LINE__,
     {"connect", ECONNREFUSED, 1, 0, 0},
     RILL_ECONNREFUSED,
     "[Errno 111] Connection refused",
     0},
    {__LINE__, {"send", EPIPE, 1, 0, 0}, RILL_ECONNRESET, "Connection lost", 0}, /* */
    {__LINE__, {"send", ECONNRESET, 1, 0, 0}, RILL_ECONNRESET, "Connection lost", 0},
    {__LINE__, {"receive", ECONNRESET, 1, 0, 0}, 0, "*", 0}, /* on either side: see below */
};

int main(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct virtual_time time = {0};
        const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = &time};
        struct plan plan = rows[i].plan;
        const struct rill_sys sys = planned(&plan);
        const struct rill_run_options options = {.loop = {.clock = &clock, .sys = &sys}};
        struct outcome outcome = {0};
        const size_t before = open_descriptors();

        CHECK_INT_ROW(rows[i].line, rill_run(run_exchange, &outcome, &options), 0);
        CHECK_INT_ROW(rows[i].line, plan.made, rows[i].plan.times);
        CHECK_INT_ROW(rows[i].line, (long long)open_descriptors(), (long long)before);
        if (strcmp(rows[i].want_text, "*") != 0) {
            CHECK_INT_ROW(rows[i].line, outcome.rc, rows[i].want_rc);
            CHECK_STR_ROW(rows[i].line, outcome.text, rows[i].want_text);
            CHECK_INT_ROW(rows[i].line, outcome.reports, rows[i].want_reports);
        }
    }
    return check_report("faults");
}
