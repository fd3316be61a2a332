/* SPDX-License-Identifier: MIT
 *
 * What OpenSSL would take from the world: its randomness and the time of day, the same in every
 * run. Each side has a stream of randomness of its own, so that the bytes of one do not depend on
 * when the other moves.
 */
#ifndef FUZZ_TLS_REPEATABLE_H
#define FUZZ_TLS_REPEATABLE_H

#include <stdbool.h>
#include <stddef.h>

enum random_side { RANDOM_OF_RILL, RANDOM_OF_PEER };

/* Before OpenSSL is first used. Also puts the streams at their beginning. */
void repeatable_install(void);
void repeatable_restart(void);
/* Whose stream OpenSSL draws from until the next call. */
void repeatable_side(enum random_side side);
enum random_side repeatable_side_now(void);

/* The `number`th request for bytes for rill from now on is refused; 0: none is. */
void repeatable_refuse(size_t number);
/* One was, since repeatable_restart. */
bool repeatable_refused(void);

#endif
