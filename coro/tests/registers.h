/* SPDX-License-Identifier: MIT
 *
 * registers_through, written in assembly for each machine (registers_*.S): fills the registers that
 * the ABI makes a callee keep, calls a function, and compares.
 */
#ifndef RILL_CORO_TESTS_REGISTERS_H
#define RILL_CORO_TESTS_REGISTERS_H

#include <stddef.h>
#include <stdint.h>

struct rill_coro;

/* Fills callee-saved registers from `patterns` (REGISTERS of them), calls fn(coro, value), and
 * writes what the registers hold then to `found`. */
void registers_through(const uint64_t *patterns, uint64_t *found,
                       void *(*fn)(struct rill_coro *coro, void *value), struct rill_coro *coro,
                       void *value);

#if defined(__x86_64__)
enum { REGISTERS = 6 }; /* rbx rbp r12 r13 r14 r15 */
#elif defined(__aarch64__)
enum { REGISTERS = 19 }; /* x19 to x29, d8 to d15 */
#elif defined(__riscv)
enum { REGISTERS = 24 }; /* s0 to s11, fs0 to fs11 */
#endif

#endif
