/* SPDX-License-Identifier: MIT
 *
 * The leak checks at the end of a case.
 */
#include "leaks.h"

#include <dirent.h>
#include <stdatomic.h>
#include <stdlib.h>

#include <rill/alloc.h>

#include "server.h"

/* -- the counting allocator: a header before each block holds its size --------------------------
 */

struct allocations {
    atomic_size_t blocks; /* helper threads may allocate, too */
    atomic_size_t bytes;
};

struct block {
    size_t size;
    max_align_t align; /* so that what follows the header is aligned for anything */
};

static struct block *block_of(void *memory)
{
    return (struct block *)memory - 1;
}

static void *counting_reallocate(void *arg, void *memory, size_t size)
{
    struct allocations *self = arg;
    struct block *old = memory != NULL ? block_of(memory) : NULL;
    const size_t old_size = old != NULL ? old->size : 0;
    struct block *block = realloc(old, sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    block->size = size;
    atomic_fetch_add(&self->bytes, size - old_size); /* may wrap: the sum is right */
    atomic_fetch_add(&self->blocks, memory == NULL ? 1 : 0);
    return block + 1;
}

static void *counting_allocate(void *arg, size_t size)
{
    return counting_reallocate(arg, NULL, size);
}

static void counting_release(void *arg, void *memory)
{
    struct allocations *self = arg;
    if (memory != NULL) {
        struct block *block = block_of(memory);
        atomic_fetch_sub(&self->bytes, block->size);
        atomic_fetch_sub(&self->blocks, 1);
        free(block);
    }
}

struct allocations *allocations_new(void)
{
    struct allocations *self = calloc(1, sizeof *self);
    const struct rill_allocator allocator = {
        .allocate = counting_allocate,
        .reallocate = counting_reallocate,
        .release = counting_release,
        .arg = self,
    };
    if (self != NULL && rill_set_allocator(&allocator) != 0) {
        free(self);
        self = NULL;
    }
    return self;
}

void allocations_free(struct allocations *allocations)
{
    free(allocations);
}

/* -- the checks ---------------------------------------------------------------------------------
 */

static size_t count_descriptors(void)
{
    size_t count = 0;
    DIR *directory = opendir("/proc/self/fd");
    if (directory == NULL) {
        return 0;
    }
    while (readdir(directory) != NULL) {
        count++;
    }
    closedir(directory);
    return count;
}

struct holdings holdings_now(const struct allocations *allocations)
{
    return (struct holdings){
        .descriptors = count_descriptors(),
        .blocks = atomic_load(&allocations->blocks),
        .bytes = atomic_load(&allocations->bytes),
    };
}

/* Not muted: the end phase mutes everything else. */
static void tell(const struct replay *replay, const char *what, size_t now, size_t before)
{
    if (now > before) {
        wire_send(replay->wire,
                  json_pack("{s:s, s:i, s:s, s:I}", "ev", "leak", "step", replay->step, "what",
                            what, "count", (json_int_t)(now - before)),
                  false);
    }
}

void leaks_of_loop(const struct replay *replay)
{
    struct rill_loop_state state;
    rill_observe_loop(replay->loop, &state);
    tell(replay, "timers", state.timers, 0);
    tell(replay, "tasks", state.tasks, 1); /* main waits */
    if (!servers_dropped(replay)) {        /* whose sockets go with the loop */
        tell(replay, "watchers", state.watchers, 0);
    }
    tell(replay, "transports", state.transports, 0);
}

void leaks_of_process(const struct replay *replay, const struct allocations *allocations,
                      const struct holdings *before)
{
    const struct holdings now = holdings_now(allocations);
    tell(replay, "descriptors", now.descriptors, before->descriptors);
    tell(replay, "blocks", now.blocks, before->blocks);
    tell(replay, "bytes", now.bytes, before->bytes);
}
