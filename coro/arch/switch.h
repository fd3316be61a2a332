/* SPDX-License-Identifier: MIT
 *
 * The two entry points that every folder of arch/ implements, and the one function that they call
 * back. What a saved context looks like is known only there; here it is an address on its stack.
 */
#ifndef RILL_CORO_ARCH_SWITCH_H
#define RILL_CORO_ARCH_SWITCH_H

struct rill_coro;

#define RILL__PRIVATE __attribute__((visibility("hidden")))

/* Saves the running context on its own stack and its address in *save, goes to the context at
 * `load` and makes its call of this function (or its rill__coro_main) receive `value`. Returns the
 * value of whoever comes back. */
RILL__PRIVATE void *rill__coro_switch(void **save, void *load, void *value);

/* Lays right below coro, which is aligned to 16 and the top of its own stack, a context that calls
 * rill__coro_main(coro, value) when it is switched to, and writes its address to the first member
 * of coro. Does not switch. Returns 0: what makes a coroutine ends in a jump here. */
RILL__PRIVATE int rill__coro_frame(struct rill_coro *coro);

/* The first C function on every coroutine's stack. Never returns. */
RILL__PRIVATE void rill__coro_main(struct rill_coro *self, void *value);

#endif
