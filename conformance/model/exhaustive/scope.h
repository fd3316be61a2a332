/* SPDX-License-Identifier: MIT
 *
 * The small scope: every script of a few shapes, in an order that never changes.
 */
#ifndef SCOPE_H
#define SCOPE_H

#include "../script.h"

/* False stops the enumeration. The script holds during the call. */
typedef bool scope_visit(void *arg, const struct script *script);

size_t scope_parts(void);
const char *scope_part_name(size_t part);
const char *scope_part_says(size_t part);

/* Every script of the part; false: visit stopped it. */
bool scope_each(size_t part, scope_visit *visit, void *arg);

#endif
