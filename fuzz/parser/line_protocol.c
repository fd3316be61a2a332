/* SPDX-License-Identifier: MIT
 *
 * An example of fuzzing one's own code: the server of a line protocol. `set NAME VALUE` keeps a
 * value, `get NAME` answers it, `quit` ends; a line that says something else gets an error, a
 * client that says nothing for half a minute loses its connection.
 */
#include "line_protocol.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "rill_fuzz.h"
#include "target.h"

#define ENTRIES    4U
#define TEXT_SIZE  LINE_MAX_BYTES
#define PATIENCE_S 30.0

struct text {
    char bytes[TEXT_SIZE];
    size_t len;
};

struct entry {
    struct text name;
    struct text value;
};

struct store {
    struct entry entries[ENTRIES];
    size_t count;
};

static struct text text_of(struct rill_bytes bytes)
{
    struct text text = {.len = bytes.len};
    memcpy(text.bytes, bytes.ptr, bytes.len); /* a part of a line: never longer than one */
    return text;
}

static bool same(struct rill_bytes one, struct rill_bytes other)
{
    return one.len == other.len && memcmp(one.ptr, other.ptr, one.len) == 0;
}

/* Takes what stands before the next space off the line. */
static struct rill_bytes take_word(struct rill_bytes *line)
{
    const char *space = memchr(line->ptr, ' ', line->len);
    const struct rill_bytes word = {line->ptr,
                                    space != NULL ? (size_t)(space - line->ptr) : line->len};
    const size_t used = word.len + (space != NULL ? 1 : 0);
    line->ptr += used;
    line->len -= used;
    return word;
}

static struct entry *find(struct store *store, struct rill_bytes name)
{
    for (size_t i = 0; i < store->count; i++) {
        struct text *known = &store->entries[i].name;
        if (same((struct rill_bytes){known->bytes, known->len}, name)) {
            return &store->entries[i];
        }
    }
    return NULL;
}

static const char *set(struct store *store, struct rill_bytes name, struct rill_bytes value)
{
    struct entry *entry = find(store, name);
    if (entry == NULL && store->count == ENTRIES) {
        return "error: full\n";
    }
    if (entry == NULL) {
        entry = &store->entries[store->count++];
        entry->name = text_of(name);
    }
    entry->value = text_of(value);
    return "ok\n";
}

static int say(struct rill_writer *writer, const char *text)
{
    return rill_writer_write(writer, text, strlen(text));
}

static int say_value(struct rill_writer *writer, const struct entry *entry)
{
    if (entry == NULL) {
        return say(writer, "error: unknown\n");
    }
    const int rc = rill_writer_write(writer, entry->value.bytes, entry->value.len);
    return rc < 0 ? rc : say(writer, "\n");
}

/* 1: go on, 0: the client has said goodbye. */
static int answer(struct store *store, struct rill_bytes line, struct rill_writer *writer)
{
    const struct rill_bytes command = take_word(&line);
    int rc;

    if (same(command, rill_bytes_of("quit"))) {
        rc = say(writer, "bye\n");
        return rc < 0 ? rc : 0;
    }
    if (same(command, rill_bytes_of("get"))) {
        rc = say_value(writer, find(store, line));
    } else if (same(command, rill_bytes_of("set"))) {
        const struct rill_bytes name = take_word(&line);
        rc = say(writer, set(store, name, line));
    } else {
        rc = say(writer, "error: command\n");
    }
    return rc < 0 ? rc : 1;
}

static int next_in_time(struct rill_reader *reader, struct rill_bytes *line)
{
    struct rill_timeout scope;
    rill_timeout_enter(&scope, PATIENCE_S);
    return rill_timeout_exit(&scope, line_protocol_next(reader, line));
}

static int serve(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct store store = {0};
    struct rill_bytes line = {0};
    int rc = 1;
    (void)arg;

    while (rc > 0) {
        rc = next_in_time(reader, &line);
        if (rc == RILL_ELIMIT) {
            rc = say(writer, "error: too long\n") < 0 ? -1 : 1;
        } else if (rc > 0) {
            rc = answer(&store, line, writer);
        }
        if (rc > 0) {
            const int drained = rill_writer_drain(writer);
            rc = drained < 0 ? drained : rc;
        }
    }
    return rc;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const struct rill_fuzz_options options = {.limit = RILL_SET(LINE_MAX_BYTES),
                                              .compare_whole = true};
    (void)rill_fuzz_run(data, size, serve, NULL, &options);
    return 0;
}
