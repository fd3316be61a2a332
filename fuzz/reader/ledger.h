/* SPDX-License-Identifier: MIT
 *
 * Counts what rill has allocated and not yet freed, so that a target can tell at the end of each
 * input whether everything came back. A leak detector looks only now and then, or at the very end.
 */
#ifndef FUZZ_READER_LEDGER_H
#define FUZZ_READER_LEDGER_H

#include <stddef.h>

struct ledger {
    size_t blocks; /* live */
};

/* The one of the process; the first call makes rill allocate through it, and must come before
 * rill's first allocation. */
const struct ledger *ledger_open(void);

#endif
