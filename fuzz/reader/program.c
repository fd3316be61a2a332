/* SPDX-License-Identifier: MIT
 *
 * Bytes as programs.
 */
#include "reader/program.h"

#include <string.h>

#include "codec.h"
#include "reader/stretch.h"

void program_read_readuntil(struct program *program, const uint8_t *data, size_t size)
{
    codec_decode(data, size, &program->script);
}

void program_read_limit(struct program *program, const uint8_t *data, size_t size)
{
    codec_decode(data, size, &program->script);
    script_stretch(&program->script, program->storage);
}

program_read *program_read_of(const char *target)
{
    static const struct {
        const char *name;
        program_read *read;
    } targets[] = {{"readuntil", program_read_readuntil},
                   {"reader_cpython", program_read_readuntil},
                   {"limit", program_read_limit}};

    for (size_t i = 0; i < sizeof targets / sizeof targets[0]; i++) {
        if (strcmp(target, targets[i].name) == 0) {
            return targets[i].read;
        }
    }
    return NULL;
}
