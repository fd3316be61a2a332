/* SPDX-License-Identifier: MIT
 *
 * Where the embedded CPython's objects live: one region of our own. To LeakSanitizer the whole
 * region is a root, because an interpreter keeps what it has to the end, and whatever Python points
 * to is in use. And a run of a target then calls malloc as often as free, unless rill leaks: that
 * is how libFuzzer notices a leak at the input that made it. Nothing is suppressed.
 */
#ifndef FUZZ_CPYTHON_MEMORY_H
#define FUZZ_CPYTHON_MEMORY_H

#include <stddef.h>

struct cpython_memory;

/* Maps the region and makes it the allocator of all of Python's domains; before the interpreter is
 * initialised. It lives as long as the process. */
struct cpython_memory *cpython_memory_install(void);

/* Bytes that Python has and has not freed. */
size_t cpython_memory_used(const struct cpython_memory *memory);

#endif
