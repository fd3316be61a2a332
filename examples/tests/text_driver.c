/* SPDX-License-Identifier: MIT
 *
 * Lets text_test.py ask repr.c and utf8.c: each line of stdin is a letter and bytes in hexadecimal,
 * each line of stdout the answer. b: repr of bytes; s: repr of a str; d: `ok` or the decode error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/rill.h>

#include "repr.h"
#include "utf8.h"

enum { LINE_MAX_BYTES = 8192 };

/* A block of the exact size, so that a sanitizer sees a read past the end; the caller frees it. */
static char *from_hex(const char *digits, size_t len)
{
    char *const bytes = malloc(len > 0 ? len : 1);

    for (size_t i = 0; bytes != NULL && i < len; i++) {
        const char pair[] = {digits[2 * i], digits[2 * i + 1], '\0'};
        bytes[i] = (char)strtoul(pair, NULL, 16);
    }
    return bytes;
}

static void print_decoded(struct rill_bytes data)
{
    struct rill_bytes text;

    if (utf8_decode(data, &text) == 0) {
        printf("ok\n");
        return;
    }
    const struct rill_error *error = rill_task_error();
    printf("%s: %s\n", rill_error_name(error->code), error->text);
}

/* In a task, because utf8_decode leaves its error with the running one. */
static int answer(void *arg)
{
    char line[LINE_MAX_BYTES];

    (void)arg;
    while (fgets(line, sizeof line, stdin) != NULL) {
        const size_t len = (strlen(line) - 1) / 2;
        char *const bytes = from_hex(line + 1, len);
        const struct rill_bytes data = {bytes, len};

        if (bytes == NULL) {
            return RILL_ENOMEM;
        }
        if (line[0] == 'd') {
            print_decoded(data);
        } else {
            printf("%s\n", (line[0] == 'b' ? repr_bytes(data) : repr_str(data)).text);
        }
        free(bytes);
    }
    return 0;
}

int main(void)
{
    return rill_main(answer, NULL);
}
