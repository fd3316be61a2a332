/* SPDX-License-Identifier: MIT
 *
 * Several names at once on a loop that is freed at any turn: whoever is the last lets go of what
 * the look-ups share.
 */
#include <netdb.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include <rill/alloc.h>
#include <rill/observe.h>
#include <rill/sys.h>

#include "../../loop/tests/virtual.h"
#include "net/net.h"

/* -- rill's blocks ---------------------------------------------------------------------------- */

static void *take(void *arg, size_t size)
{
    atomic_size_t *const blocks = arg;
    void *const memory = malloc(size);
    *blocks += memory != NULL ? 1 : 0;
    return memory;
}

static void *change(void *arg, void *memory, size_t size)
{
    atomic_size_t *const blocks = arg;
    void *const changed = realloc(memory, size);
    *blocks += memory == NULL && changed != NULL ? 1 : 0;
    return changed;
}

static void give_back(void *arg, void *memory)
{
    atomic_size_t *const blocks = arg;
    *blocks -= memory != NULL ? 1 : 0;
    free(memory);
}

/* -- the look-ups ------------------------------------------------------------------------------ */

struct world {
    const char *const *hosts;
    size_t count;
    struct rill__address_list found;
    int rc;
    struct rill_sys sys;
    struct rill_loop *loop;
    struct rill_task *caller;
    sem_t late; /* posted: the answer for that name may come */
};

/* One name is unknown at once, the other is late. */
static int fake_getaddrinfo(void *arg, const char *host, const char *port,
                            const struct addrinfo *hints, struct addrinfo **list)
{
    struct world *const world = arg;

    (void)port;
    (void)hints;
    *list = NULL;
    while (strcmp(host, "late") == 0 && sem_wait(&world->late) < 0) {
    }
    return EAI_NONAME;
}

static int look_up(void *arg)
{
    struct world *const world = arg;
    const struct rill__names names = {.hosts = world->hosts, .count = world->count, .port = "80"};
    world->rc = rill__resolve_names(world->loop, &names, &world->found);
    return 0;
}

static void begin(struct world *world)
{
    const struct rill_loop_options options = {.sys = &world->sys};

    world->rc = 1;
    world->sys = *rill_sys_kernel();
    world->sys.getaddrinfo = fake_getaddrinfo;
    world->sys.arg = world;
    CHECK_INT(sem_init(&world->late, 0, 0), 0);
    CHECK_INT(rill_loop_new(&options, &world->loop), 0);
    const struct rill_task_options on_loop = {.loop = world->loop};
    CHECK_INT(rill_task_create(look_up, world, &on_loop, &world->caller), 0);
}

static void turn(const struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        (void)rill_loop_step(world->loop);
    }
}

static size_t tasks_of(const struct world *world)
{
    struct rill_loop_state state;
    rill_observe_loop(world->loop, &state);
    return state.tasks;
}

/* A resolver's answer comes from its thread. */
static void turn_until_tasks_are(const struct world *world, size_t count)
{
    while (tasks_of(world) != count) {
        (void)rill_loop_step(world->loop);
        (void)sched_yield();
    }
}

static void end(struct world *world, const atomic_size_t *blocks)
{
    rill_task_free(world->caller);
    rill_loop_free(world->loop);
    rill__address_list_cleanup(&world->found);
    sem_destroy(&world->late);
    CHECK_INT((long long)atomic_load(blocks), 0);
}

/* Literals are answered without a thread, so that turns are certain. */
static void test_cancelled(const atomic_size_t *blocks)
{
    static const char *const hosts[] = {"127.0.0.1", "127.0.0.2", "127.0.0.1"};
    enum { ADDRESSES = 2, TURNS_MAX = 8 };

    for (int before = 0; before < TURNS_MAX; before++) {
        for (int behind = 0; behind < TURNS_MAX; behind++) {
            struct world world = {.hosts = hosts, .count = 3};
            begin(&world);
            turn(&world, before);
            const bool cancelled = rill_task_cancel(world.caller);
            turn(&world, behind);
            CHECK(before + 1 < TURNS_MAX || !cancelled);
            CHECK_INT(world.rc == 0, !cancelled);
            CHECK_INT((long long)world.found.count, cancelled ? 0 : ADDRESSES);
            end(&world, blocks);
        }
    }
}

/* The caller has its error and is gone; the loop goes in the turn in which the late look-up ends,
 * or behind it. */
static void test_late(int behind, const atomic_size_t *blocks)
{
    static const char *const hosts[] = {"unknown", "late"};
    struct world world = {.hosts = hosts, .count = 2};

    begin(&world);
    turn(&world, 1);
    turn_until_tasks_are(&world, 1);
    CHECK_INT(world.rc, RILL_EGAI);
    CHECK_INT(sem_post(&world.late), 0);
    turn_until_tasks_are(&world, 0);
    turn(&world, behind);
    end(&world, blocks);
}

int main(void)
{
    atomic_size_t blocks = 0; /* helper threads count too */
    const struct rill_allocator counting = {
        .allocate = take, .reallocate = change, .release = give_back, .arg = &blocks};

    CHECK_INT(rill_set_allocator(&counting), 0);
    test_cancelled(&blocks);
    for (int behind = 0; behind < 3; behind++) {
        test_late(behind, &blocks);
    }
    return check_report("names");
}
