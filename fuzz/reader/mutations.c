/* SPDX-License-Identifier: MIT
 *
 * One thing changed in a script.
 */
#include "reader/mutations.h"

#include <string.h>

static const struct script_bytes newline = {"\n", 1};

static size_t throw_dice(struct draft *draft, size_t sides)
{
    return dice_throw(draft->dice, sides);
}

/* ---- finding something to change ---- */

typedef bool op_test(const struct script *script, size_t op);

static bool any_op(const struct script *script, size_t op)
{
    return op < script->count;
}

static bool is_feed(const struct script *script, size_t op)
{
    return script->ops[op].kind == SCRIPT_FEED;
}

static bool is_chunk(const struct script *script, size_t op)
{
    return is_feed(script, op) && script->ops[op].bytes.len > 0;
}

static bool is_long_chunk(const struct script *script, size_t op)
{
    return is_feed(script, op) && script->ops[op].bytes.len > 1;
}

/* With another one right behind it. */
static bool is_pair(const struct script *script, size_t op)
{
    return op + 1 < script->count && is_feed(script, op) && is_feed(script, op + 1);
}

static bool has_neighbour(const struct script *script, size_t op)
{
    return op + 1 < script->count;
}

static bool takes_number(const struct script *script, size_t op)
{
    return script->ops[op].kind == SCRIPT_READ || script->ops[op].kind == SCRIPT_READEXACTLY;
}

/* One of those that pass, each as likely; false: none does. */
static bool choose(struct draft *draft, op_test *test, size_t *op)
{
    size_t passed = 0;
    *op = 0;
    for (size_t i = 0; i < draft->script.count; i++) {
        if (test(&draft->script, i) && throw_dice(draft, ++passed) == 0) {
            *op = i;
        }
    }
    return passed > 0;
}

/* One that some call of the script searches for; newline when none does. */
static struct script_bytes a_separator(struct draft *draft)
{
    struct script_bytes chosen = newline;
    size_t passed = 0;
    for (size_t i = 0; i < draft->script.count; i++) {
        const struct script_op *op = &draft->script.ops[i];
        for (size_t k = 0; k < op->separator_count; k++) {
            if (op->separators[k].len > 0 && throw_dice(draft, ++passed) == 0) {
                chosen = op->separators[k];
            }
        }
    }
    return chosen;
}

/* ---- changing bytes ---- */

/* Room for a new chunk in the scratch, or NULL. */
static char *room(struct draft *draft, size_t size)
{
    if (size > SCRIPT_CHUNK_MAX || size > sizeof draft->scratch - draft->used) {
        return NULL;
    }
    char *at = draft->scratch + draft->used;
    draft->used += size;
    return at;
}

static char *append(char *to, struct script_bytes bytes)
{
    if (bytes.len > 0) {
        memcpy(to, bytes.ptr, bytes.len);
    }
    return to + bytes.len;
}

/* The two as one; false: there is no room. */
static bool join(struct draft *draft, struct script_bytes a, struct script_bytes b,
                 struct script_bytes *joined)
{
    char *at = room(draft, a.len + b.len);
    if (at == NULL) {
        return false;
    }
    append(append(at, a), b);
    *joined = (struct script_bytes){at, a.len + b.len};
    return true;
}

static struct script_bytes front(struct script_bytes bytes, size_t count)
{
    return (struct script_bytes){bytes.ptr, count};
}

static struct script_bytes back(struct script_bytes bytes, size_t from)
{
    return (struct script_bytes){bytes.ptr + from, bytes.len - from};
}

/* ---- changing the list ---- */

static void drop_at(struct script *script, size_t op)
{
    script->count--;
    memmove(&script->ops[op], &script->ops[op + 1], (script->count - op) * sizeof script->ops[0]);
}

static bool insert_at(struct script *script, size_t at, struct script_op op)
{
    if (script->count == SCRIPT_OPS_MAX) {
        return false;
    }
    memmove(&script->ops[at + 1], &script->ops[at], (script->count - at) * sizeof script->ops[0]);
    script->ops[at] = op;
    script->count++;
    return true;
}

/* ---- chunks ---- */

/* A place to cut: in or beside the first separator that stands in the chunk, else anywhere. */
static size_t place_to_cut(struct draft *draft, struct script_bytes chunk)
{
    const struct script_bytes separator = a_separator(draft);
    const char *found =
        memmem(chunk.ptr, chunk.len, separator.ptr, separator.len); /* both are not empty */
    if (found != NULL && throw_dice(draft, 4) > 0) {
        return (size_t)(found - chunk.ptr) + throw_dice(draft, separator.len + 1);
    }
    return throw_dice(draft, chunk.len + 1);
}

static bool cut_chunk(struct draft *draft, size_t op, size_t at)
{
    struct script_op second = draft->script.ops[op];
    second.bytes = back(second.bytes, at);
    if (!insert_at(&draft->script, op + 1, second)) {
        return false;
    }
    draft->script.ops[op].bytes.len = at;
    return true;
}

static bool split(struct draft *draft)
{
    size_t op;
    return choose(draft, is_long_chunk, &op) &&
           cut_chunk(draft, op, place_to_cut(draft, draft->script.ops[op].bytes));
}

static bool merge(struct draft *draft)
{
    size_t op;
    if (!choose(draft, is_pair, &op) ||
        !join(draft, draft->script.ops[op].bytes, draft->script.ops[op + 1].bytes,
              &draft->script.ops[op].bytes)) {
        return false;
    }
    drop_at(&draft->script, op + 1);
    return true;
}

static bool move_boundary(struct draft *draft)
{
    size_t op;
    if (!choose(draft, is_pair, &op)) {
        return false;
    }
    struct script_bytes *a = &draft->script.ops[op].bytes;
    struct script_bytes *b = &draft->script.ops[op + 1].bytes;
    const bool forward = b->len == 0 || (a->len > 0 && throw_dice(draft, 2) == 0);
    if (forward) {
        if (a->len == 0 || !join(draft, back(*a, a->len - 1), *b, b)) {
            return false;
        }
        a->len--;
        return true;
    }
    if (!join(draft, *a, front(*b, 1), a)) {
        return false;
    }
    *b = back(*b, 1);
    return true;
}

/* Returns where it ends. */
static bool place_separator_in(struct draft *draft, size_t *op, size_t *start, size_t *length)
{
    if (!choose(draft, is_feed, op)) {
        return false;
    }
    struct script_bytes *chunk = &draft->script.ops[*op].bytes;
    const struct script_bytes separator = a_separator(draft);
    struct script_bytes first;
    *start = throw_dice(draft, chunk->len + 1);
    *length = separator.len;
    return join(draft, front(*chunk, *start), separator, &first) &&
           join(draft, first, back(*chunk, *start), chunk);
}

static bool place_separator(struct draft *draft)
{
    size_t op;
    size_t start;
    size_t length;
    return place_separator_in(draft, &op, &start, &length);
}

static bool cut_separator(struct draft *draft)
{
    size_t op;
    size_t start;
    size_t length;
    return place_separator_in(draft, &op, &start, &length) &&
           cut_chunk(draft, op, start + throw_dice(draft, length + 1));
}

/* ---- lengths ---- */

/* Of a line: what is fed from some chunk on, up to the first separator that is whole in a chunk. */
static size_t length_of_line(struct draft *draft, size_t op)
{
    const struct script_bytes separator = a_separator(draft);
    size_t length = 0;
    for (; op < draft->script.count; op++) {
        const struct script_bytes chunk = draft->script.ops[op].bytes;
        const char *found =
            chunk.len > 0 ? memmem(chunk.ptr, chunk.len, separator.ptr, separator.len) : NULL;
        if (found != NULL) {
            return length + (size_t)(found - chunk.ptr);
        }
        length += chunk.len;
    }
    return length;
}

/* A length that matters to the script, or a byte beside it. */
static bool a_length(struct draft *draft, size_t *length)
{
    size_t op;
    if (!choose(draft, is_chunk, &op)) {
        return false;
    }
    *length =
        throw_dice(draft, 2) == 0 ? length_of_line(draft, op) : draft->script.ops[op].bytes.len;
    if (throw_dice(draft, 4) == 0) {
        *length /= 2; /* for twice the limit */
    }
    *length += throw_dice(draft, 3);
    *length -= *length > 0 ? 1 : 0;
    return true;
}

static bool set_limit(struct draft *draft)
{
    size_t length;
    if (!a_length(draft, &length) || length < 1 || length > SCRIPT_LIMIT_MAX) {
        return false;
    }
    draft->script.limit = length;
    return true;
}

static bool set_number(struct draft *draft)
{
    size_t op;
    size_t length;
    if (!choose(draft, takes_number, &op) || !a_length(draft, &length) || length > 127) {
        return false;
    }
    draft->script.ops[op].n = (int)length;
    return true;
}

/* ---- operations ---- */

static bool drop(struct draft *draft)
{
    size_t op;
    if (!choose(draft, any_op, &op)) {
        return false;
    }
    drop_at(&draft->script, op);
    return true;
}

static bool duplicate(struct draft *draft)
{
    size_t op;
    return choose(draft, any_op, &op) &&
           insert_at(&draft->script, throw_dice(draft, draft->script.count + 1),
                     draft->script.ops[op]);
}

static bool swap(struct draft *draft)
{
    size_t op;
    if (!choose(draft, has_neighbour, &op)) {
        return false;
    }
    const struct script_op first = draft->script.ops[op];
    draft->script.ops[op] = draft->script.ops[op + 1];
    draft->script.ops[op + 1] = first;
    return true;
}

/* An operation of this kind, with what it needs. */
static struct script_op op_of_kind(struct draft *draft, enum script_kind kind)
{
    struct script_op op = {.kind = kind};
    if (kind == SCRIPT_FEED) {
        op.bytes = a_separator(draft);
    } else if (kind == SCRIPT_READ || kind == SCRIPT_READEXACTLY) {
        op.n = (int)throw_dice(draft, draft->script.limit * 2 + 2) - 1;
    } else if (kind == SCRIPT_READUNTIL) {
        op.separator_count = 1;
    } else if (kind == SCRIPT_READUNTIL_TUPLE) {
        op.separator_count = throw_dice(draft, SCRIPT_SEPARATORS_MAX + 1);
    }
    for (size_t i = 0; i < op.separator_count; i++) {
        op.separators[i] = a_separator(draft);
    }
    return op;
}

static enum script_kind a_kind(struct draft *draft)
{
    return (enum script_kind)throw_dice(draft, SCRIPT_KINDS);
}

static bool change_kind(struct draft *draft)
{
    size_t op;
    if (!choose(draft, any_op, &op)) {
        return false;
    }
    draft->script.ops[op] = op_of_kind(draft, a_kind(draft));
    return true;
}

static bool insert(struct draft *draft)
{
    return insert_at(&draft->script, throw_dice(draft, draft->script.count + 1),
                     op_of_kind(draft, a_kind(draft)));
}

static bool change_transport(struct draft *draft)
{
    draft->script.transport = (enum script_transport)throw_dice(draft, SCRIPT_TRANSPORTS);
    return true;
}

bool draft_change(struct draft *draft, enum mutation mutation)
{
    static bool (*const ways[MUTATIONS])(struct draft *) = {
        [MUTATION_SPLIT] = split,
        [MUTATION_MERGE] = merge,
        [MUTATION_MOVE_BOUNDARY] = move_boundary,
        [MUTATION_LIMIT] = set_limit,
        [MUTATION_NUMBER] = set_number,
        [MUTATION_PLACE_SEPARATOR] = place_separator,
        [MUTATION_CUT_SEPARATOR] = cut_separator,
        [MUTATION_DROP] = drop,
        [MUTATION_DUPLICATE] = duplicate,
        [MUTATION_SWAP] = swap,
        [MUTATION_CHANGE_KIND] = change_kind,
        [MUTATION_INSERT] = insert,
        [MUTATION_TRANSPORT] = change_transport,
    };
    return ways[mutation](draft);
}
