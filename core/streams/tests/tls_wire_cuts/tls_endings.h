/* SPDX-License-Identifier: MIT
 *
 * The rows of tls_endings that stand in files of their own.
 */
#ifndef RILL_TEST_TLS_ENDINGS_H
#define RILL_TEST_TLS_ENDINGS_H

#include "rig.h"

extern const struct rig_row flow_rows[];
extern const size_t flow_row_count;
extern const struct rig_row nested_rows[];
extern const size_t nested_row_count;
extern const struct rig_row reentry_rows[];
extern const size_t reentry_row_count;
extern const struct rig_row start_tls_rows[];
extern const size_t start_tls_row_count;
extern const struct rig_row state_rows[];
extern const size_t state_row_count;
/* A stream in clear, and the task that makes it TLS. */
struct rig_upgrade {
    struct rig *rig;
    int rc;
    bool closing; /* the writer, when the call came back */
    char text[160];
};
void rig_open_in_clear(struct rig *rig);
int rig_start_tls(void *upgrade);
/* Both ends say that they end. */
void rig_end_cleanly(struct rig *rig);

/* The loop goes during a handshake, after each number of iterations. */
void free_loops_everywhere(const struct material *material);

#endif
