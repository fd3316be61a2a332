/* SPDX-License-Identifier: MIT
 *
 * Files as inputs.
 */
#include "reader/input.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct input complain(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return (struct input){NULL, 0};
}

struct input input_read(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        return complain(path);
    }
    enum { LARGEST = 1 << 20 };
    uint8_t *data = malloc(LARGEST);
    const size_t size = data != NULL ? fread(data, 1, LARGEST, file) : 0;
    const int failed = data == NULL || ferror(file);
    fclose(file);
    if (failed) {
        free(data);
        return complain(path);
    }
    uint8_t *fitting = realloc(data, size > 0 ? size : 1);
    return (struct input){fitting != NULL ? fitting : data, size};
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static struct input read_in(const char *folder, const char *name)
{
    char *path;
    if (asprintf(&path, "%s/%s", folder, name) < 0) {
        return complain(name);
    }
    const struct input input = input_read(path);
    free(path);
    return input;
}

struct input *inputs_read(const char *folder, size_t *count)
{
    struct dirent **entries;
    const int found = scandir(folder, &entries, visible, alphasort);
    if (found < 0) {
        complain(folder);
        return NULL;
    }
    struct input *inputs = calloc((size_t)found + 1, sizeof *inputs);
    *count = 0;
    for (int i = 0; i < found; i++) {
        if (inputs != NULL) {
            inputs[*count] = read_in(folder, entries[i]->d_name);
            *count += inputs[*count].data != NULL ? 1 : 0;
        }
        free(entries[i]);
    }
    free((void *)entries);
    return inputs;
}
