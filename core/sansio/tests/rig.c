/* SPDX-License-Identifier: MIT
 *
 * The parts of the tests' rig that need the system: guarded memory, the allocator, death tests.
 */
#define _DEFAULT_SOURCE

#include "rig.h"

#include <signal.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

static size_t page_size(void)
{
    return (size_t)sysconf(_SC_PAGESIZE);
}

static size_t round_up(size_t size)
{
    return (size + page_size() - 1) / page_size() * page_size();
}

/* Whole pages, the last of them without access; the bytes are at the end of the others. */
char *rig_guarded(size_t size)
{
    const size_t usable = round_up(size);
    char *pages = mmap(NULL, usable + page_size(), PROT_READ | PROT_WRITE,
                       MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || mprotect(pages + usable, page_size(), PROT_NONE) != 0) {
        perror("rig_guarded");
        exit(EXIT_FAILURE);
    }
    return pages + usable - size;
}

void rig_guarded_free(char *bytes, size_t size)
{
    const size_t usable = round_up(size);
    munmap(bytes + size - usable, usable + page_size());
}

/* In front of each block; as large as the alignment that malloc promises. */
union header {
    size_t size;
    max_align_t alignment;
};

static bool must_fail(struct rig_allocator *state)
{
    state->calls++;
    return state->fail_at != 0 &&
           (state->calls == state->fail_at || (state->fail_on && state->calls > state->fail_at));
}

/* A guarded block ends at the unmapped page up to the alignment that rill's objects need. */
static void *make(struct rig_allocator *state, size_t wanted)
{
    const size_t alignment = sizeof(long long);
    const size_t size = (wanted + alignment - 1) / alignment * alignment;
    char *block = state->guard ? rig_guarded(sizeof(union header) + size)
                               : malloc(sizeof(union header) + size);
    if (block == NULL) {
        return NULL;
    }
    memcpy(block, &size, sizeof size);
    state->live++;
    return block + sizeof(union header);
}

static size_t size_of(const void *memory)
{
    size_t size;
    memcpy(&size, (const char *)memory - sizeof(union header), sizeof size);
    return size;
}

static void rig_release(void *arg, void *memory)
{
    struct rig_allocator *state = arg;
    if (memory == NULL) {
        return;
    }
    char *block = (char *)memory - sizeof(union header);
    state->live--;
    if (state->guard) {
        rig_guarded_free(block, sizeof(union header) + size_of(memory));
    } else {
        free(block);
    }
}

static void *rig_allocate(void *arg, size_t size)
{
    return must_fail(arg) ? NULL : make(arg, size);
}

/* Always moves, so that a pointer that was kept too long is noticed. */
static void *rig_reallocate(void *arg, void *memory, size_t size)
{
    void *moved = must_fail(arg) ? NULL : make(arg, size);
    if (moved == NULL || memory == NULL) {
        return moved;
    }
    const size_t before = size_of(memory);
    memcpy(moved, memory, before < size ? before : size);
    rig_release(arg, memory);
    return moved;
}

struct rig_allocator *rig_use_allocator(void)
{
    static struct rig_allocator state;
    const struct rill_allocator table = {rig_allocate, rig_reallocate, rig_release, &state};
    if (rill_set_allocator(&table) != 0) {
        fprintf(stderr, "rig: rill has already allocated\n");
        exit(EXIT_FAILURE);
    }
    return &state;
}

enum { ABORTED = 42 };

/* Ends the child in an orderly way, so that what it covered is counted. */
static void end_child(int signal_number)
{
    (void)signal_number;
    exit(ABORTED);
}

bool rig_aborts(void (*function)(void), const char *what)
{
    int ends[2];
    char said[512] = "";
    int status = 0;

    fflush(NULL);
    if (pipe(ends) != 0) {
        return false;
    }
    pid_t child = fork();
    if (child == 0) {
        dup2(ends[1], STDERR_FILENO);
        close(ends[0]);
        signal(SIGABRT, end_child);
        function();
        exit(EXIT_SUCCESS);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], said, sizeof said - 1);
    close(ends[0]);
    /* Not exactly ABORTED: a leak checker puts its own number there for what the abort left behind.
     */
    return child > 0 && waitpid(child, &status, 0) == child && WIFEXITED(status) &&
           WEXITSTATUS(status) != EXIT_SUCCESS && got > 0 && strstr(said, what) != NULL;
}
