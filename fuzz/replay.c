/* SPDX-License-Identifier: MIT
 *
 * A fuzz target without an engine: every file named, and every file in every folder named, is given
 * to the target once, in the order of their names. A corpus is an ordinary test this way, with any
 * compiler.
 */
#include <dirent.h>
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "target.h"

static size_t replayed;

static bool replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    /* A block of exactly the input's size, so that a sanitizer sees a read beyond it. */
    size_t size = 0;
    uint8_t *data = NULL;
    if (fseek(file, 0, SEEK_END) == 0) {
        const long end = ftell(file);
        rewind(file);
        size = end > 0 ? (size_t)end : 0;
        data = malloc(size > 0 ? size : 1);
    }
    const bool fine = data != NULL && fread(data, 1, size, file) == size;
    if (fine) {
        (void)LLVMFuzzerTestOneInput(data, size);
        replayed++;
    } else {
        (void)fprintf(stderr, "%s: cannot be read\n", path);
    }
    free(data);
    (void)fclose(file);
    return fine;
}

static int visible(const struct dirent *entry)
{
    return entry->d_name[0] != '.';
}

static bool replay_folder(const char *path)
{
    struct dirent **entries;
    const int count = scandir(path, &entries, visible, alphasort);
    if (count < 0) {
        (void)fprintf(stderr, "%s: %s\n", path, strerror(errno));
        return false;
    }
    bool fine = true;
    for (int i = 0; i < count; i++) {
        char *inside = NULL;
        if (asprintf(&inside, "%s/%s", path, entries[i]->d_name) < 0) {
            abort();
        }
        fine = replay_file(inside) && fine;
        free(inside);
        free(entries[i]);
    }
    free((void *)entries);
    return fine;
}

static bool is_folder(const char *path)
{
    struct stat status;
    return stat(path, &status) == 0 && S_ISDIR(status.st_mode);
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        (void)fprintf(stderr,
                      "usage: %s FILE|FOLDER ...\n\nGives every file to the fuzz target, once.\n",
                      argv[0]);
        return 2;
    }
    if (LLVMFuzzerInitialize != NULL) {
        (void)LLVMFuzzerInitialize(&argc, &argv);
    }
    bool fine = true;
    for (int i = 1; i < argc; i++) {
        fine = (is_folder(argv[i]) ? replay_folder : replay_file)(argv[i]) && fine;
    }
    printf("inputs=%zu\n", replayed);
    return fine && replayed > 0 ? 0 : 1; /* an empty corpus proves nothing */
}
