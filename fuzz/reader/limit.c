/* SPDX-License-Identifier: MIT
 *
 * Fuzz target `limit`: as `readuntil`, but the script's lengths are drawn towards the limit
 * (stretch.h).
 */
#include "reader/duel.h"
#include "reader/program.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program program;
    program_read_limit(&program, data, size);
    duel_play(&program.script);
    return 0;
}
