/* SPDX-License-Identifier: MIT
 *
 * What a loop makes once and keeps for good: its heap of timers, its table of descriptors, its
 * spare block for receives.
 */
#include <stdlib.h>

#include "simulated/connection.h"

/* More than a run makes: of a script of 64 operations, played by up to three handlers each, with a
 * few timers for one, those included that are cancelled and not swept yet. */
enum { TIMERS = 1000 };

int rig_warm_timers(void)
{
    struct rill_handle *timers[TIMERS];
    for (size_t i = 0; i < TIMERS; i++) {
        if (rill_call_later(rill_running_loop(), 1, NULL, NULL, &timers[i]) < 0) {
            return RILL_ENOMEM;
        }
    }
    for (size_t i = 0; i < TIMERS; i++) {
        rill_handle_cancel(timers[i]);
        rill_handle_free(timers[i]);
    }
    return 0;
}

int rig_warm_up(void *arg)
{
    struct rig *rig = arg;
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes data;

    int rc = rig_warm_timers();
    rig->kernel.outcome = KERNEL_AT_ONCE;
    rc = rc < 0 ? rc : rill_open_connection("127.0.0.1", "80", NULL, &reader, &writer);
    if (rc < 0) {
        return rc;
    }
    struct kernel_wire *wire = kernel_peer_of(&rig->kernel.sockets[0]);
    (void)kernel_peer_ops.send(wire, "x", 1);
    (void)rill_reader_readexactly(reader, 1, &data);
    rill_writer_free(writer);
    kernel_peer_ops.free(wire);
    return rill_sleep(0);
}
