/* SPDX-License-Identifier: MIT
 *
 * Fuzz target `readuntil`: the bytes are a script for one reader (conformance/model/codec.h),
 * played by rill and by the model.
 */
#include "reader/duel.h"
#include "reader/program.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program program;
    program_read_readuntil(&program, data, size);
    duel_play(&program.script);
    return 0;
}
