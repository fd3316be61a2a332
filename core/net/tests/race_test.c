/* SPDX-License-Identifier: MIT
 *
 * Happy eyeballs in virtual time (5.4), and dialling with a scripted resolver and scripted connects
 * (5.3).
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rill/observe.h>
#include <rill/sys.h>

#include "../../loop/tests/virtual.h"
#include "net/race.h"

/* -- the order of addresses (R-570) ---------------------------------------------------------- */

static const struct {
    int line;
    const char *list; /* a: v6, b: v4 */
    long long first;
    const char *want; /* family and index within it */
} order_rows[] = {
    {__LINE__, "aaaabb", 1, "a0 b0 a1 b1 a2 a3"},
    {__LINE__, "aaaabb", 2, "a0 a1 b0 a2 b1 a3"},
    {__LINE__, "aaaabb", 3, "a0 a1 a2 b0 a3 b1"},
    {__LINE__, "baab", 1, "b0 a0 b1 a1"},
    {__LINE__, "baab", 2, "b0 b1 a0 a1"},
    {__LINE__, "aabb", 100, "a0 a1 b0 b1"},
    {__LINE__, "b", 1, "b0"},
    {__LINE__, "", 1, ""},
};

static void test_order(void)
{
    for (size_t i = 0; i < sizeof order_rows / sizeof order_rows[0]; i++) {
        struct rill__endpoint_address items[8] = {0};
        struct rill__address_list list = {items, strlen(order_rows[i].list)};
        struct trace got = {0};
        long count[2] = {0, 0};

        for (size_t j = 0; j < list.count; j++) {
            const int which = order_rows[i].list[j] == 'b';
            items[j].family = which ? AF_INET : AF_INET6;
            items[j].port = count[which]++;
        }
        CHECK_INT_ROW(order_rows[i].line, rill__interleave(&list, order_rows[i].first), 0);
        for (size_t j = 0; j < list.count; j++) {
            char word[8];
            snprintf(word, sizeof word, "%c%ld", items[j].family == AF_INET ? 'b' : 'a',
                     items[j].port);
            trace_add(&got, word);
        }
        CHECK_STR_ROW(order_rows[i].line, got.text, order_rows[i].want);
    }
}

/* -- the race (R-571 to R-577) --------------------------------------------------------------- */

struct script {
    double seconds;    /* until the attempt ends; 0: at once */
    bool fails;        /* else it wins with 100 + index */
    bool stubborn;     /* wins although it was cancelled */
    bool stops_caller; /* cancels the race's caller just before it wins */
};

struct race_world {
    struct virtual_time time;
    struct trace trace;
    const struct script *scripts;
    size_t count;
    struct rill_opt_real delay;
    double cancel_at; /* seconds; 0: never */
    struct rill_task *caller;
    int references;
    int discarded; /* sum of what was given back */
    int winner;
    int rc;
};

static void note(struct race_world *world, const char *what, size_t index)
{
    char word[32];
    snprintf(word, sizeof word, "%s%zu@%.1f", what, index, world->time.now);
    trace_add(&world->trace, word);
}

static int attempt(void *arg, size_t index)
{
    struct race_world *world = arg;
    const struct script *script = &world->scripts[index];

    note(world, "start", index);
    const int rc = script->seconds > 0 ? rill_sleep(script->seconds) : 0;
    if (rc < 0 && !script->stubborn) {
        note(world, "cancel", index);
        return rc;
    }
    note(world, script->fails ? "fail" : "win", index);
    if (script->stops_caller) {
        rill_task_cancel(world->caller);
    }
    return script->fails ? RILL_EOS : 100 + (int)index;
}

static void hold(void *arg)
{
    ((struct race_world *)arg)->references++;
}

static void release(void *arg)
{
    ((struct race_world *)arg)->references--;
}

static void discard(void *arg, int winner)
{
    ((struct race_world *)arg)->discarded += winner;
}

static int run_race(void *arg)
{
    struct race_world *world = arg;
    const struct rill__race_plan plan = {.count = world->count,
                                         .delay = world->delay,
                                         .attempt = attempt,
                                         .hold = hold,
                                         .release = release,
                                         .discard = discard,
                                         .arg = world};
    world->rc = rill__race(&plan, &world->winner);
    return 0;
}

static int race_main(void *arg)
{
    struct race_world *world = arg;

    CHECK_INT(rill_task_create(run_race, world, NULL, &world->caller), 0);
    if (world->cancel_at > 0) {
        rill_sleep(world->cancel_at);
        rill_task_cancel(world->caller);
    }
    rill_task_await(world->caller);
    rill_task_free(world->caller);
    rill_sleep(10); /* whatever is left of it */
    return 0;
}

static const struct {
    int line;
    struct script scripts[4];
    size_t count;
    struct rill_opt_real delay;
    double cancel_at;
    int want_rc;
    int want_winner;
    int want_discarded;
    const char *want;
} race_rows[] = {
    {.line = __LINE__, /* */
     .scripts = {{.seconds = 0.6, .fails = true}, {.seconds = 1.2}, {.seconds = 0.2}},
     .count = 3,
     .delay = RILL_SET(0.4),
     .want_winner = 102,
     .want = "start0@0.0 start1@0.4 fail0@0.6 start2@0.8 win2@1.0 cancel1@1.0"},
    {.line = __LINE__, /* the failure of the one before hastens */
     .scripts = {{.seconds = 0.1, .fails = true}, {.seconds = 0.1}},
     .count = 2,
     .delay = RILL_SET(1.0),
     .want_winner = 101,
     .want = "start0@0.0 fail0@0.1 start1@0.1 win1@0.2"},
    {.line = __LINE__, /* one after another */
     .scripts =
         {{.seconds = 0.5, .fails = true}, {.fails = true}, {.seconds = 0.1}, {.seconds = 9}},
     .count = 4,
     .want_winner = 102,
     .want = "start0@0.0 fail0@0.5 start1@0.5 fail1@0.5 start2@0.5 win2@0.6"},
    {.line = __LINE__, /* all at once */
     .scripts = {{.seconds = 0.3}, {.seconds = 0.2}, {.seconds = 0.1}},
     .count = 3,
     .delay = RILL_SET(0.0),
     .want_winner = 102,
     .want = "start0@0.0 start1@0.0 start2@0.0 win2@0.1 cancel0@0.1 cancel1@0.1"},
    {.line = __LINE__, /* */
     .scripts = {{.seconds = 0.5, .fails = true}, {.seconds = 0.1, .fails = true}},
     .count = 2,
     .delay = RILL_SET(0.2),
     .want_winner = -1,
     .want = "start0@0.0 start1@0.2 fail1@0.3 fail0@0.5"},
    {.line = __LINE__, .count = 0, .delay = RILL_SET(0.2), .want_winner = -1, .want = ""},
    {.line = __LINE__, .count = 0, .want_winner = -1, .want = ""},
    {.line = __LINE__, /* the loser's wait ends in the winner's iteration */
     .scripts = {{.seconds = 0.5}, {.seconds = 0.5}},
     .count = 2,
     .delay = RILL_SET(0.0),
     .want_winner = 100,
     .want = "start0@0.0 start1@0.0 win0@0.5 cancel1@0.5"},
    {.line = __LINE__, /* never two winners: what the second made is given back */
     .scripts = {{.seconds = 0.5}, {.seconds = 0.6, .stubborn = true}},
     .count = 2,
     .delay = RILL_SET(0.0),
     .want_winner = 100,
     .want_discarded = 101,
     .want = "start0@0.0 start1@0.0 win0@0.5 win1@0.5"},
    {.line = __LINE__, /* */
     .scripts = {{.seconds = 5}, {.seconds = 5}, {.seconds = 5}},
     .count = 3,
     .delay = RILL_SET(0.4),
     .cancel_at = 0.5,
     .want_rc = RILL_ECANCELLED,
     .want_winner = -1,
     .want = "start0@0.0 start1@0.4 cancel0@0.5 cancel1@0.5"},
    {.line = __LINE__, /* a winner whom nobody waits for any more */
     .scripts = {{.seconds = 0.5, .stops_caller = true}},
     .count = 1,
     .delay = RILL_SET(0.4),
     .want_rc = RILL_ECANCELLED,
     .want_winner = -1,
     .want_discarded = 100,
     .want = "start0@0.0 win0@0.5"},
};

static void test_race(void)
{
    for (size_t i = 0; i < sizeof race_rows / sizeof race_rows[0]; i++) {
        const int line = race_rows[i].line;
        struct race_world world = {.scripts = race_rows[i].scripts,
                                   .count = race_rows[i].count,
                                   .delay = race_rows[i].delay,
                                   .cancel_at = race_rows[i].cancel_at};
        CHECK_INT_ROW(line, run_virtual(race_main, &world, &world.time), 0);
        CHECK_INT_ROW(line, world.rc, race_rows[i].want_rc);
        CHECK_INT_ROW(line, world.winner, race_rows[i].want_winner);
        CHECK_INT_ROW(line, world.discarded, race_rows[i].want_discarded);
        CHECK_INT_ROW(line, world.references, 0);
        CHECK_STR_ROW(line, world.trace.text, race_rows[i].want);
    }
}

/* A loop that is freed at any turn, also the one in which the last runner ended, lets go of the
 * race: no callback runs any more that could. */
static void race_on_freed_loop(int turns_before, int turns_behind, double delay)
{
    static const struct script scripts[] = {
        {.seconds = 5}, {.seconds = 5, .stubborn = true}, {.fails = true}};
    struct race_world world = {.scripts = scripts, .count = 3, .delay = RILL_SET(delay)};
    const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = &world.time};
    const struct rill_loop_options options = {.clock = &clock};
    struct rill_loop *loop;

    CHECK_INT(rill_loop_new(&options, &loop), 0);
    const struct rill_task_options on_loop = {.loop = loop};
    CHECK_INT(rill_task_create(run_race, &world, &on_loop, &world.caller), 0);
    for (int i = 0; i < turns_before; i++) {
        (void)rill_loop_step(loop);
    }
    rill_task_cancel(world.caller);
    for (int i = 0; i < turns_behind; i++) {
        (void)rill_loop_step(loop);
    }
    rill_task_free(world.caller);
    rill_loop_free(loop);
    CHECK_INT(world.references, 0);
}

static void test_freed_loop(void)
{
    for (int before = 0; before < 8; before++) {
        for (int behind = 0; behind < 8; behind++) {
            race_on_freed_loop(before, behind, 0);
            race_on_freed_loop(before, behind, 1);
        }
    }
}

/* -- dialling -------------------------------------------------------------------------------- */

/* The resolver answers with 127.0.0.1 and up, as many as asked for, or a status. The outcome of a
 * connect or a bind is chosen by the last byte of its address, from 1 on. */
struct dial_world {
    struct virtual_time time;
    struct rill_sys sys;
    size_t answers;
    int status;
    int os_errno; /* of EAI_SYSTEM */
    bool blocks;  /* the resolver waits for `go` */
    sem_t go;
    int connect_errno[4]; /* 0: connected */
    int later_errno;      /* the connect's outcome after EINPROGRESS */
    int bind_errno[4];
    bool local_is_v6;
    size_t connects;
    atomic_int lists; /* of getaddrinfo, not freed yet */
    const struct rill_connection_options *options;
    struct rill_task *dialler;
    int rc;
    const struct rill_error *error;
};

static struct addrinfo *new_info(int family, size_t number, struct addrinfo *next)
{
    struct {
        struct addrinfo info;
        struct sockaddr_in6 address;
    } *made = calloc(1, sizeof *made);
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(80)};

    made->address.sin6_family = AF_INET6;
    if (family == AF_INET) {
        v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK + (uint32_t)number);
        memcpy(&made->address, &v4, sizeof v4);
    }
    made->info =
        (struct addrinfo){.ai_family = family,
                          .ai_socktype = SOCK_STREAM,
                          .ai_protocol = IPPROTO_TCP,
                          .ai_addrlen = family == AF_INET ? sizeof v4 : sizeof made->address,
                          .ai_addr = (struct sockaddr *)(void *)&made->address,
                          .ai_next = next};
    return &made->info;
}

static int fake_getaddrinfo(void *arg, const char *host, const char *port,
                            const struct addrinfo *hints, struct addrinfo **list)
{
    struct dial_world *world = arg;
    const bool local = strcmp(host, "local") == 0;

    (void)port;
    CHECK_INT(hints->ai_socktype, SOCK_STREAM);
    if (world->blocks) {
        while (sem_wait(&world->go) < 0) {
        }
    }
    *list = NULL;
    if (world->status != 0) {
        errno = world->os_errno;
        return world->status;
    }
    for (size_t i = local ? 2 : world->answers; i > 0; i--) {
        *list = new_info(local && world->local_is_v6 ? AF_INET6 : AF_INET, i - 1, *list);
    }
    atomic_fetch_add(&world->lists, *list != NULL);
    return 0;
}

static void fake_freeaddrinfo(void *arg, struct addrinfo *list)
{
    struct dial_world *world = arg;
    atomic_fetch_sub(&world->lists, list != NULL);
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static size_t number_of(const struct sockaddr *address)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)(const void *)address;
    return (ntohl(v4->sin_addr.s_addr) - INADDR_LOOPBACK) % 4;
}

static int fake_connect(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    struct dial_world *world = arg;
    (void)fd;
    (void)length;
    world->connects++;
    errno = world->connect_errno[number_of(address)];
    return errno == 0 ? 0 : -1;
}

static int fake_bind(void *arg, int fd, const struct sockaddr *address, unsigned length)
{
    const struct dial_world *world = arg;
    (void)fd;
    (void)length;
    errno = world->bind_errno[number_of(address)];
    return errno == 0 ? 0 : -1;
}

static int fake_getsockopt(void *arg, int fd, int level, int name, void *value, unsigned *length)
{
    const struct dial_world *world = arg;
    if (level == SOL_SOCKET && name == SO_ERROR) {
        memcpy(value, &world->later_errno, sizeof world->later_errno);
        return 0;
    }
    return rill_sys_kernel()->getsockopt(NULL, fd, level, name, value, length);
}

static int run_dial(void *arg)
{
    struct dial_world *world = arg;
    world->rc = rill__dial(rill_running_loop(), "remote", "80", world->options);
    if (world->rc < 0) {
        world->error = rill_error_ref(rill_task_error());
    } else {
        close(world->rc);
        world->rc = 0;
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

static void run_dial_world(int line, rill_task_fn *fn, struct dial_world *world)
{
    const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = &world->time};
    const struct rill_run_options options = {.loop = {.clock = &clock, .sys = &world->sys}};
    const size_t before = open_descriptors();

    world->sys = *rill_sys_kernel();
    world->sys.getaddrinfo = fake_getaddrinfo;
    world->sys.freeaddrinfo = fake_freeaddrinfo;
    world->sys.connect = fake_connect;
    world->sys.bind = fake_bind;
    world->sys.getsockopt = fake_getsockopt;
    world->sys.arg = world;
    CHECK_INT_ROW(line, rill_run(fn, world, &options), 0);
    CHECK_INT_ROW(line, (long long)open_descriptors(), (long long)before);
    CHECK_INT_ROW(line, atomic_load(&world->lists), 0);
}

static const struct rill_connection_options plain;
static const struct rill_connection_options all_errors = {.all_errors = RILL_SET(1)};
static const struct rill_connection_options staggered = {.happy_eyeballs_delay = RILL_SET(0.25)};
static const struct rill_connection_options local = {.local_host = "local"};

static const struct {
    int line;
    size_t answers;
    const struct rill_connection_options *options;
    int connect_errno[4];
    int later_errno;
    int bind_errno[4];
    bool local_is_v6;
    int want_rc;
    const char *want_text;
    size_t want_list;
    size_t want_connects;
} dial_rows[] = {
    {.line = __LINE__, /* */
     .answers = 0,
     .options = &plain,
     .want_rc = RILL_EOS,
     .want_text = "getaddrinfo() returned empty list"},
    {.line = __LINE__, /* */
     .answers = 4,
     .options = &plain,
     .connect_errno = {ECONNREFUSED, ENETUNREACH, 0, 0},
     .want_connects = 3},
    {.line = __LINE__, /* */
     .answers = 1,
     .options = &plain,
     .connect_errno = {EINPROGRESS},
     .later_errno = ECONNREFUSED,
     .want_rc = RILL_ECONNREFUSED,
     .want_text = "[Errno 111] Connect call failed ('127.0.0.1', 80)",
     .want_connects = 1},
    {.line = __LINE__, /* R-550, and a thousand */
     .answers = 1000,
     .options = &plain,
     .connect_errno = {ECONNREFUSED, ECONNREFUSED, ECONNREFUSED, ECONNREFUSED},
     .want_rc = RILL_ECONNREFUSED,
     .want_text = "[Errno 111] Connection refused",
     .want_connects = 1000},
    {.line = __LINE__, /* */
     .answers = 3,
     .options = &plain,
     .connect_errno = {ECONNREFUSED, ENETUNREACH, ECONNREFUSED},
     .want_rc = RILL_EOS,
     .want_text = "Multiple exceptions: [Errno 111] Connection refused, [Errno 101] Network is "
                  "unreachable, [Errno 111] Connection refused",
     .want_list = 3,
     .want_connects = 3},
    {.line = __LINE__, /* in the order of their start */
     .answers = 2,
     .options = &staggered,
     .connect_errno = {EINPROGRESS, ENETUNREACH},
     .later_errno = ECONNREFUSED,
     .want_rc = RILL_EOS,
     .want_text = "Multiple exceptions: [Errno 111] Connect call failed ('127.0.0.1', 80), [Errno "
                  "101] Network is unreachable",
     .want_list = 2,
     .want_connects = 2},
    {.line = __LINE__, .answers = 2, .options = &staggered, .want_connects = 1},
    {.line = __LINE__, /* */
     .answers = 2,
     .options = &all_errors,
     .connect_errno = {ECONNREFUSED, ECONNREFUSED},
     .want_rc = RILL_EGROUP,
     .want_text = "create_connection failed (2 sub-exceptions)",
     .want_list = 2,
     .want_connects = 2},
    {.line = __LINE__,
     .answers = 1,
     .options = &all_errors,
     .connect_errno = {ECONNREFUSED},
     .want_rc = RILL_EGROUP,
     .want_text = "create_connection failed (1 sub-exception)",
     .want_list = 1,
     .want_connects = 1},
    {.line = __LINE__, /* */
     .answers = 1,
     .options = &local,
     .bind_errno = {EADDRINUSE, 0},
     .want_connects = 1},
    {.line = __LINE__, /* the failed bind is told when the attempt fails in the end */
     .answers = 1,
     .options = &local,
     .bind_errno = {EADDRNOTAVAIL, 0},
     .connect_errno = {ECONNREFUSED},
     .want_rc = RILL_EOS,
     .want_text = "Multiple exceptions: [Errno 99] error while attempting to bind on address "
                  "('127.0.0.1', 80): [errno 99] cannot assign requested address, [Errno 111] "
                  "Connection refused",
     .want_list = 2,
     .want_connects = 1},
    {.line = __LINE__, /* */
     .answers = 1,
     .options = &local,
     .bind_errno = {EADDRNOTAVAIL, EADDRNOTAVAIL},
     .want_rc = RILL_EOS,
     .want_text = "Multiple exceptions: [Errno 99] error while attempting to bind on address "
                  "('127.0.0.1', 80): [errno 99] cannot assign requested address, [Errno 99] error "
                  "while attempting to bind on address ('127.0.0.2', 80): [errno 99] cannot assign "
                  "requested address",
     .want_list = 2},
    {.line = __LINE__, /* */
     .answers = 1,
     .options = &local,
     .local_is_v6 = true,
     .want_rc = RILL_EOS,
     .want_text = "no matching local address with family=<AddressFamily.AF_INET: 2> found"},
};

static void test_dial(void)
{
    for (size_t i = 0; i < sizeof dial_rows / sizeof dial_rows[0]; i++) {
        const int line = dial_rows[i].line;
        struct dial_world world = {.answers = dial_rows[i].answers,
                                   .options = dial_rows[i].options,
                                   .later_errno = dial_rows[i].later_errno,
                                   .local_is_v6 = dial_rows[i].local_is_v6};
        memcpy(world.connect_errno, dial_rows[i].connect_errno, sizeof world.connect_errno);
        memcpy(world.bind_errno, dial_rows[i].bind_errno, sizeof world.bind_errno);
        run_dial_world(line, run_dial, &world);
        CHECK_INT_ROW(line, world.rc, dial_rows[i].want_rc);
        CHECK_STR_ROW(line, world.error != NULL ? world.error->text : NULL, dial_rows[i].want_text);
        CHECK_INT_ROW(line, (long long)(world.error != NULL ? world.error->list_count : 0),
                      (long long)dial_rows[i].want_list);
        CHECK_INT_ROW(line, (long long)world.connects, (long long)dial_rows[i].want_connects);
        rill_error_unref(world.error);
    }
}

/* every status of getaddrinfo is a gaierror with the C library's text, but EAI_SYSTEM. */
static void test_statuses(void)
{
    static const int statuses[] = {EAI_BADFLAGS, EAI_NONAME,  EAI_AGAIN,  EAI_FAIL,    EAI_FAMILY,
                                   EAI_SOCKTYPE, EAI_SERVICE, EAI_MEMORY, EAI_OVERFLOW};
    for (size_t i = 0; i < sizeof statuses / sizeof statuses[0]; i++) {
        struct dial_world world = {.status = statuses[i], .options = &plain};
        char want[128];
        snprintf(want, sizeof want, "[Errno %d] %s", statuses[i], gai_strerror(statuses[i]));
        run_dial_world(__LINE__, run_dial, &world);
        CHECK_INT(world.rc, RILL_EGAI);
        CHECK_INT(world.error->os_errno, statuses[i]);
        CHECK_STR(world.error->text, want);
        rill_error_unref(world.error);
    }
    struct dial_world world = {.status = EAI_SYSTEM, .os_errno = EMFILE, .options = &plain};
    run_dial_world(__LINE__, run_dial, &world);
    CHECK_INT(world.rc, RILL_EOS);
    CHECK_STR(world.error->text, "[Errno 24] Too many open files");
    rill_error_unref(world.error);
}

/* The caller is cancelled while the resolver works: it does not wait, and the late answer is freed.
 */
static int cancel_dial(void *arg)
{
    struct dial_world *world = arg;

    CHECK_INT(rill_task_create(run_dial, world, NULL, &world->dialler), 0);
    rill_sleep(0);
    rill_sleep(0);
    rill_task_cancel(world->dialler);
    rill_task_await(world->dialler);
    rill_task_free(world->dialler);
    CHECK_INT(world->rc, RILL_ECANCELLED);
    CHECK_INT(sem_post(&world->go), 0);
    return 0;
}

static void test_late_answer(void)
{
    struct dial_world world = {.answers = 3, .blocks = true, .options = &plain};
    CHECK_INT(sem_init(&world.go, 0, 0), 0);
    run_dial_world(__LINE__, cancel_dial, &world);
    CHECK_INT((long long)world.connects, 0);
    rill_error_unref(world.error);
    sem_destroy(&world.go);
}

int main(void)
{
    test_order();
    test_race();
    test_freed_loop();
    test_dial();
    test_statuses();
    test_late_answer();
    return check_report("race");
}
