/* SPDX-License-Identifier: MIT
 *
 * Fuzz target `reader_faults`: the bytes are a program (faults/program.h) for one sans-io reader
 * whose events do not wait for each other and whose memory runs out.
 */
#include "faults/play.h"
#include "target.h"

/* The allocator is the process's, and an engine hands over nothing but bytes. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct allocations allocations;
    static struct faults_stage stage;
    static bool installed;

    if (!installed) {
        installed = true;
        allocations_install(&allocations);
    }
    faults_play(&stage, &allocations, data, size);
    return 0;
}
