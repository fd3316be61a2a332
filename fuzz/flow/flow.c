/* SPDX-License-Identifier: MIT
 *
 * Fuzz target `flow`: programs of writes, drains, closings, limits and a peer's reading
 * (program.h), on rill's writer over a transport in memory and on the model.
 */
#include "flow/duel.h"
#include "simulated/connection.h"
#include "target.h"

/* What outlives an input: the kept loop. The engine's interface has no place for it. */
static struct rig rig;

/* Makes the loop's spare block, which stays: one connection that received something. */
static int warm_up(void *arg)
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_memory_peer *peer;
    struct rill_bytes data;

    (void)arg;
    if (rill_open_memory_connection(NULL, NULL, &reader, &writer, &peer) < 0) {
        return 0;
    }
    (void)rill_memory_peer_send(peer, "x", 1);
    (void)rill_reader_read(reader, 1, &data);
    rill_transport_abort(rill_writer_transport(writer));
    rill_writer_free(writer);
    rill_memory_peer_free(peer);
    return 0;
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    text_init();
    rig_init(&rig, warm_up, NULL);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct flow_duel duel;
    flow_duel_play(&duel, &rig, data, size);
    return 0;
}
