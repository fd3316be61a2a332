/* SPDX-License-Identifier: MIT
 *
 * Fuzz target `flow`: programs of writes, drains, closings, limits and a peer's reading
 * (program.h), on rill's writer over a transport in memory and on the model.
 */
#include "flow/duel.h"
#include "target.h"

/* What outlives an input: the kept loop. The engine's interface has no place for it. */
static struct rig rig;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    flow_rig_init(&rig);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flow_duel duel;
    flow_duel_play(&duel, &rig, data, size);
    return 0;
}
