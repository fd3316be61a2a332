/* SPDX-License-Identifier: MIT
 *
 * Fuzz target `readuntil`: the bytes are a script for one reader (conformance/model/codec.h),
 * played by rill and by the model.
 */
#include "codec.h"
#include "reader/duel.h"
#include "target.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct script script;
    codec_decode(data, size, &script);
    duel_play(&script);
    return 0;
}
