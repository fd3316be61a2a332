/* SPDX-License-Identifier: MIT
 *
 * The same two entry points for machines without an assembly switch, by ucontext: slow (two system
 * calls for the signal mask a switch), but right wherever the C library has makecontext.
 */
#include "../switch.h"

#include <stddef.h>
#include <stdint.h>
#include <ucontext.h>

struct context {
    ucontext_t machine;
    void *value; /* what whoever switched here handed over */
};

/* makecontext hands over ints only, so addresses come in halves. */
static void enter(unsigned coro_high, unsigned coro_low, unsigned here_high, unsigned here_low)
{
    const uintptr_t coro = (uintptr_t)(((uint64_t)coro_high << 32) | coro_low);
    const uintptr_t here = (uintptr_t)(((uint64_t)here_high << 32) | here_low);

    rill__coro_main((struct rill_coro *)coro, ((const struct context *)here)->value);
}

/* On its own, because compilers know that getcontext can return twice and distrust every variable
 * around it. */
__attribute__((noinline)) static int capture(ucontext_t *machine)
{
    return getcontext(machine);
}

int rill__coro_frame(struct rill_coro *coro)
{
    struct context *const here = (struct context *)(void *)coro - 1;
    const uint64_t coro_bits = (uintptr_t)coro;
    const uint64_t here_bits = (uintptr_t)here;

    if (capture(&here->machine) != 0) {
        __builtin_trap(); /* it cannot fail either */
    }
    /* makecontext only wants to know where the stack ends, which is below this record; what it is
     * told to be the start nobody reads, and the guard page is there in any case. */
    here->machine.uc_stack.ss_sp = (char *)here - 2048;
    here->machine.uc_stack.ss_size = 2048;
    here->machine.uc_link = NULL;
    makecontext(&here->machine, (void (*)(void))enter, 4, (unsigned)(coro_bits >> 32),
                (unsigned)coro_bits, (unsigned)(here_bits >> 32), (unsigned)here_bits);
    *(void **)(void *)coro = here;
    return 0;
}

void *rill__coro_switch(void **save, void *load, void *value)
{
    struct context here;
    struct context *const there = load;

    *save = &here;
    there->value = value;
    if (swapcontext(&here.machine, &there->machine) != 0) {
        __builtin_trap(); /* possible only when the signal mask cannot be set, which cannot fail */
    }
    return here.value;
}
