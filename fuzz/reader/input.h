/* SPDX-License-Identifier: MIT
 *
 * Files as inputs, for the programs beside the targets.
 */
#ifndef FUZZ_READER_INPUT_H
#define FUZZ_READER_INPUT_H

#include <stddef.h>
#include <stdint.h>

struct input {
    uint8_t *data;
    size_t size;
};

/* The file's bytes, for the caller to free; data is NULL when it cannot be read, and a line on
 * stderr says why. */
struct input input_read(const char *path);

/* Every file of the folder, in the order of their names; the caller frees the array and each data.
 * NULL: it cannot be read. */
struct input *inputs_read(const char *folder, size_t *count);

#endif
