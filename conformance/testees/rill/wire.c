/* SPDX-License-Identifier: MIT
 *
 * Framing and bytes. JSON itself is jansson's work: a parser of untrusted nesting and escapes is
 * not something to write again for a test program.
 */
#include "wire.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { LONG_RUN = 256 }; /* a run of one byte longer than this is sent as a count */

static bool read_exactly(FILE *source, void *memory, size_t size)
{
    return fread(memory, 1, size, source) == size;
}

json_t *wire_receive(const struct wire *wire)
{
    unsigned char head[4];
    if (!read_exactly(wire->source, head, sizeof head)) {
        return NULL;
    }
    const size_t size =
        (size_t)head[0] << 24 | (size_t)head[1] << 16 | (size_t)head[2] << 8 | (size_t)head[3];
    char *text = malloc(size + 1);
    json_t *message = NULL;
    if (text != NULL && read_exactly(wire->source, text, size)) {
        message = json_loadb(text, size, JSON_ALLOW_NUL, NULL);
    }
    free(text);
    return message;
}

static void runner_is_gone(void)
{
    fprintf(stderr, "rill-testee: cannot write to the runner\n");
    exit(EXIT_FAILURE);
}

void wire_send(const struct wire *wire, json_t *message, bool flush)
{
    char *text = json_dumps(message, JSON_COMPACT | JSON_ENSURE_ASCII);
    json_decref(message);
    if (text == NULL) {
        fprintf(stderr, "rill-testee: an event cannot be written as JSON\n");
        exit(EXIT_FAILURE);
    }
    const size_t size = strlen(text);
    const unsigned char head[4] = {(unsigned char)(size >> 24), (unsigned char)(size >> 16),
                                   (unsigned char)(size >> 8), (unsigned char)size};
    const bool sent = fwrite(head, 1, sizeof head, wire->sink) == sizeof head &&
                      fwrite(text, 1, size, wire->sink) == size &&
                      (!flush || fflush(wire->sink) == 0);
    free(text);
    if (!sent) {
        runner_is_gone();
    }
}

/* Appends the Latin-1 bytes of a JSON string, which jansson holds as UTF-8: every character is
 * below U+0100, so it is one byte, or two of which the first is C2 or C3. */
static char *put_latin1(char *out, const json_t *string)
{
    const char *text = json_string_value(string);
    const size_t size = json_string_length(string);
    for (size_t i = 0; i < size; i++) {
        const unsigned char lead = (unsigned char)text[i];
        if (lead < 0x80 || i + 1 == size) {
            *out++ = text[i];
        } else {
            i++;
            *out++ = (char)((lead & 0x03) << 6 | ((unsigned char)text[i] & 0x3F));
        }
    }
    return out;
}

static size_t run_count(const json_t *run)
{
    const json_int_t count = json_integer_value(json_array_get(run, 0));
    return count > 0 ? (size_t)count : 0;
}

/* An upper bound of the size of [[count, string], ...]. */
static size_t runs_size(const json_t *runs)
{
    size_t size = 0;
    for (size_t i = 0; i < json_array_size(runs); i++) {
        const json_t *run = json_array_get(runs, i);
        size += run_count(run) * json_string_length(json_array_get(run, 1));
    }
    return size;
}

static char *put_run(char *out, const json_t *run)
{
    const json_t *string = json_array_get(run, 1);
    for (size_t i = run_count(run); i > 0; i--) {
        out = put_latin1(out, string);
    }
    return out;
}

struct rill_bytes bytes_of_json(struct arena *arena, const json_t *value)
{
    const size_t bound = json_is_string(value) ? json_string_length(value) : runs_size(value);
    char *const memory = arena_take(arena, bound + 1);
    char *out = memory;
    if (json_is_string(value)) {
        out = put_latin1(out, value);
    }
    for (size_t i = 0; i < json_array_size(value); i++) {
        out = put_run(out, json_array_get(value, i));
    }
    return (struct rill_bytes){memory, (size_t)(out - memory)};
}

static json_t *json_of_text(struct rill_bytes bytes)
{
    char *const text = malloc(2 * bytes.len + 1);
    size_t size = 0;
    if (text == NULL) {
        return NULL;
    }
    for (size_t i = 0; i < bytes.len; i++) {
        const unsigned char byte = (unsigned char)bytes.ptr[i];
        if (byte >= 0x80) {
            text[size++] = (char)(0xC0 | byte >> 6);
            text[size++] = (char)(0x80 | (byte & 0x3F));
        } else {
            text[size++] = (char)byte;
        }
    }
    json_t *string = json_stringn_nocheck(text, size);
    free(text);
    return string;
}

json_t *json_of_bytes(struct rill_bytes bytes)
{
    const bool one_run =
        bytes.len > LONG_RUN && memcmp(bytes.ptr, bytes.ptr + 1, bytes.len - 1) == 0;
    if (!one_run) {
        return json_of_text(bytes);
    }
    const struct rill_bytes first = {bytes.ptr, 1};
    return json_pack("[[Io]]", (json_int_t)bytes.len, json_of_text(first));
}
