/* SPDX-License-Identifier: MIT
 *
 * How deep common library calls go on a coroutine's stack: the default size is set by what this
 * prints, and each must fit in three quarters of it. It measures on a stack far larger, so that it
 * reports rather than dies.
 */
#include "check.h"
#include "depth.h"
#include "watchers.h"
#include <netdb.h>
#include <rill/coro.h>
#include <stdint.h>
#include <sys/socket.h>

static int do_nothing(void)
{
    return 0;
}

static int do_printf(void)
{
    char text[1024];
    const int length = snprintf(text, sizeof(text), "%f %Lf %.60g %s %lld", 1e300 / 7, 1e300L / 3,
                                0.1, "text", 1LL << 62);

    return length > 600 ? 0 : -1;
}

static int do_getaddrinfo(void)
{
    const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;

    /* Whether it finds anything is the machine's configuration; how deep it went is the question.
     */
    if (getaddrinfo("localhost", "80", &hints, &found) == 0) {
        freeaddrinfo(found);
    }
    return 0;
}

static int do_getaddrinfo_unknown(void)
{
    struct addrinfo *found = NULL;

    /* Goes through every service that nsswitch.conf lists, since none knows it. */
    if (getaddrinfo("name.invalid", NULL, NULL, &found) == 0) {
        freeaddrinfo(found);
    }
    return 0;
}

static const struct row {
    int line;
    const char *name;
    int (*act)(void);
} rows[] = {
    {.line = __LINE__, .name = "nothing", .act = do_nothing},
    {.line = __LINE__, .name = "printf of floating point", .act = do_printf},
    {.line = __LINE__, .name = "getaddrinfo of localhost", .act = do_getaddrinfo},
    {.line = __LINE__, .name = "getaddrinfo of name.invalid", .act = do_getaddrinfo_unknown},
    {.line = __LINE__, .name = "TLS handshake, both sides", .act = depth_tls_handshake},
};

static void *body(struct rill_coro *self, void *arg, void *value)
{
    const struct row *const row = arg;

    (void)self;
    (void)value;
    return (void *)(intptr_t)row->act();
}

static void measure(const struct row *row)
{
    const struct rill_coro_pool_options options = {.stack_size_bytes = (size_t)1 << 20};
    struct rill_coro_pool *pool;
    struct rill_coro *coro;
    struct row copy = *row;
    intptr_t result;
    size_t depth;

    CHECK_INT_ROW(row->line, rill_coro_pool_new(&options, &pool), 0);
    CHECK_INT_ROW(row->line, rill_coro_create(pool, body, &copy, &coro), 0);
    result = (intptr_t)rill_coro_resume(coro, NULL);
    depth = rill_coro_stack_depth(coro);
    rill_coro_destroy(coro);
    rill_coro_pool_free(pool);
    if (result == 1) {
        printf("SKIP %-28s OpenSSL 3 is not here\n", row->name);
        return;
    }
    CHECK_INT_ROW(row->line, result, 0);
    CHECK_ROW(row->line, depth > 0);
    /* Red zones and unoptimised frames are the tool's, not the library's. */
    CHECK_ROW(row->line, TEST_ASAN || TEST_TSAN || TEST_VALGRIND ||
                             depth <= RILL_CORO_STACK_SIZE_DEFAULT / 4 * 3);
    printf("%-28s %6zu bytes, %2zu %% of the default %zu\n", row->name, depth,
           depth * 100 / RILL_CORO_STACK_SIZE_DEFAULT, RILL_CORO_STACK_SIZE_DEFAULT);
}

int main(void)
{
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        measure(&rows[i]);
    }
    return check_report("depth_test");
}
