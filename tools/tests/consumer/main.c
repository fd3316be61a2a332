/* SPDX-License-Identifier: MIT
 *
 * A user of the installed libraries, as the packaging tests build it: one coroutine by rill-coro
 * alone, then a server and a client of rill that exchange one line.
 */
#include <rill/coro.h>
#include <rill/rill.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *count_to_three(struct rill_coro *self, void *arg, void *value)
{
    int *const number = arg;
    (void)value;
    for (*number = 1; *number < 3; ++*number) {
        rill_coro_suspend(self, number);
    }
    return number;
}

/* The sum of what the coroutine hands over, or a negative error. */
static int sum_of_coroutine(void)
{
    struct rill_coro_pool *pool;
    struct rill_coro *coro;
    int number = 0;
    int sum = 0;
    int rc = rill_coro_pool_new(NULL, &pool);
    if (rc < 0) {
        return rc;
    }
    rc = rill_coro_create(pool, count_to_three, &number, &coro);
    if (rc < 0) {
        goto free_pool;
    }
    while (!rill_coro_done(coro)) {
        sum += *(const int *)rill_coro_resume(coro, NULL);
    }
    rill_coro_destroy(coro);
    rc = sum;

free_pool:
    rill_coro_pool_free(pool);
    return rc;
}

static int echo_one_line(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes line;
    int rc = rill_reader_readline(reader, &line);
    (void)arg;
    if (rc == 0) {
        rc = rill_writer_write(writer, line.ptr, line.len);
    }
    rill_writer_close(writer);
    return rc;
}

/* Sends one line and compares what comes back. */
static int ask(const char *port)
{
    static const char question[] = "is anybody there?\n";
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes answer;
    int rc = rill_open_connection("127.0.0.1", port, NULL, &reader, &writer);
    if (rc < 0) {
        return rc;
    }
    rc = rill_writer_write(writer, question, strlen(question));
    if (rc == 0) {
        rc = rill_reader_readline(reader, &answer);
    }
    if (rc == 0 &&
        (answer.len != strlen(question) || memcmp(answer.ptr, question, answer.len) != 0)) {
        rc = rill_task_fail(rill_error_new(RILL_EUSER, "another answer came back"));
    }
    rill_writer_close(writer);
    rill_writer_free(writer);
    return rc;
}

static int serve_and_ask(void *arg)
{
    struct rill_server *server;
    struct rill_address address;
    char port[16];
    int rc = rill_start_server(echo_one_line, NULL, "127.0.0.1", "0", NULL, &server);
    (void)arg;
    if (rc < 0) {
        return rc;
    }
    rill_server_sockname(server, 0, &address);
    snprintf(port, sizeof port, "%d", address.port);
    rc = ask(port);
    rill_server_close(server);
    if (rc == 0) {
        rc = rill_server_wait_closed(server);
    }
    rill_server_free(server);
    return rc;
}

int main(void)
{
    const int sum = sum_of_coroutine();
    if (sum != 1 + 2 + 3) {
        fprintf(stderr, "the coroutine gave %d\n", sum);
        return EXIT_FAILURE;
    }
    const int status = rill_main(serve_and_ask, NULL);
    if (status == 0) {
        puts("consumer: coroutine sum=6, echoed lines=1");
    }
    return status;
}
