/* SPDX-License-Identifier: MIT
 *
 * fuzz-case TARGET AREA/NAME FILE: what a target of one reader makes of a file, as a case of the
 * conformance harness without its answers (tools/conform --bless records those).
 */
#include <stdio.h>
#include <stdlib.h>

#include "reader/input.h"
#include "reader/program.h"

int main(int argc, char **argv)
{
    program_read *read = argc == 4 ? program_read_of(argv[1]) : NULL;
    if (read == NULL) {
        fprintf(stderr, "usage: %s readuntil|limit|reader_cpython AREA/NAME FILE\n", argv[0]);
        return 2;
    }
    const struct input input = input_read(argv[3]);
    if (input.data == NULL) {
        return 1;
    }
    struct program program;
    read(&program, input.data, input.size);
    script_print_case(&program.script, argv[2], stdout);
    free(input.data);
    return 0;
}
