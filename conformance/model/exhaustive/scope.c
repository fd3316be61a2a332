/* SPDX-License-Identifier: MIT
 *
 * The small scope. Two shapes:
 * chunkings: every string over an alphabet, cut in every way, one call at every place between the
 *   chunks, every ending, then the same call again;
 * sequences: every sequence of so many operations out of a vocabulary.
 */
#include "scope.h"

#include <string.h>

enum {
    WORDS_MAX = 24, /* of a vocabulary */
    STORAGE_MAX = 256,
    LENGTH_MAX = 8, /* of a string */
};

struct part {
    const char *name;
    const char *says;
    const char *alphabet; /* chunkings; NULL: sequences */
    bool distinct;        /* only the string whose bytes are the alphabet's, in order */
    size_t length_min;    /* of strings, or of sequences */
    size_t length_max;
    size_t limit_max; /* every limit from 1 */
    const char *transports;
    const char *words; /* operations: the calls, or the whole vocabulary */
};

static const struct part parts[] = {
    {.name = "separator",
     .says = "strings over a b cut in every way, readuntil at every place",
     .alphabet = "ab",
     .length_min = 1,
     .length_max = 6,
     .limit_max = 4,
     .transports = "p",
     .words = "u:a u:ab u:aa u:aba"},
    {.name = "separator-3",
     .says = "the same over a b c, separators of two and three bytes",
     .alphabet = "abc",
     .length_min = 1,
     .length_max = 4,
     .limit_max = 4,
     .transports = "p",
     .words = "u:ab u:abc u:cab"},
    {.name = "tuple",
     .says = "the same with tuples of separators",
     .alphabet = "ab",
     .length_min = 1,
     .length_max = 5,
     .limit_max = 4,
     .transports = "p",
     .words =
         "t:a,ab t:ab,a t:b,ab t:ab,b t:aa,b t:a,bab t:ba,ab t:abab,b t:b,abab t:ab t:aa,ab,bb"},
    {.name = "line",
     .says = "strings over a and newline cut in every way, readline at every place",
     .alphabet = "a\n",
     .length_min = 1,
     .length_max = 7,
     .limit_max = 4,
     .transports = "p",
     .words = "l"},
    {.name = "count",
     .says = "one string cut in every way, read and readexactly at every place",
     .alphabet = "abcdefgh",
     .distinct = true,
     .length_min = 1,
     .length_max = 8,
     .limit_max = 4,
     .transports = "npi",
     .words = "r:-1 r:0 r:1 r:2 r:3 r:9 n:-1 n:0 n:1 n:2 n:3 n:4 n:5 n:7 n:9"},
    {.name = "mixed",
     .says = "sequences of feeds, ends and every kind of call",
     .length_min = 5,
     .length_max = 5,
     .limit_max = 2,
     .transports = "p",
     .words = "f:a f:b f:abb f:bbab e r:2 r:-1 n:3 u:ab l"},
    {.name = "failures",
     .says = "sequences with exceptions set and cleared, and cancelling",
     .length_min = 5,
     .length_max = 5,
     .limit_max = 2,
     .transports = "p",
     .words = "f:a f:aab x k c e r:1 r:-1 n:2 n:-1 u:b"},
    {.name = "two-calls",
     .says = "sequences with two calls at a time, which take each other's bytes",
     .length_min = 6,
     .length_max = 6,
     .limit_max = 2,
     .transports = "p",
     .words = "f:a f:bab n:3 r:1 r:-1 u:bb c"},
    {.name = "lines",
     .says = "sequences of feeds and readline",
     .length_min = 6,
     .length_max = 6,
     .limit_max = 3,
     .transports = "p",
     .words = "f:a f:%0A f:aa%0A f:aaa e l r:1"},
    {.name = "arguments",
     .says = "sequences with arguments that are refused, empty feeds, and no pausing",
     .length_min = 4,
     .length_max = 4,
     .limit_max = 2,
     .transports = "npi",
     .words = "f: f:aba e x n:-1 n:0 r:0 u: t t: t:,a t:b,ba"},
};

size_t scope_parts(void)
{
    return sizeof parts / sizeof parts[0];
}

const char *scope_part_name(size_t part)
{
    return parts[part].name;
}

const char *scope_part_says(size_t part)
{
    return parts[part].says;
}

/* What an enumeration carries along. */
struct walk {
    const struct part *part;
    scope_visit *visit;
    void *arg;
    size_t word_count;
    struct script_op words[WORDS_MAX];
    char storage[STORAGE_MAX];
    struct script script;
};

static void read_words(struct walk *walk)
{
    char *storage = walk->storage;
    for (const char *at = walk->part->words; *at != '\0';) {
        const char *end = at + strcspn(at, " ");
        if (script_parse_op(at, end, &storage, &walk->words[walk->word_count])) {
            walk->word_count++;
        }
        at = *end == ' ' ? end + 1 : end;
    }
}

static bool visit(struct walk *walk)
{
    return walk->visit(walk->arg, &walk->script);
}

/* ---- sequences ---- */

static bool each_sequence(struct walk *walk, size_t length)
{
    if (walk->script.count == length) {
        return visit(walk);
    }
    for (size_t i = 0; i < walk->word_count; i++) {
        walk->script.ops[walk->script.count++] = walk->words[i];
        const bool go_on = each_sequence(walk, length);
        walk->script.count--;
        if (!go_on) {
            return false;
        }
    }
    return true;
}

/* ---- chunkings ---- */

struct chunking {
    size_t count;
    struct script_op feeds[LENGTH_MAX];
};

/* Bit i of `cuts` cuts behind byte i. */
static void cut(const char *string, size_t length, unsigned cuts, struct chunking *chunks)
{
    size_t start = 0;
    chunks->count = 0;
    for (size_t i = 0; i < length; i++) {
        if (i + 1 == length || (cuts >> i & 1U) != 0) {
            chunks->feeds[chunks->count++] =
                (struct script_op){.kind = SCRIPT_FEED, .bytes = {string + start, i + 1 - start}};
            start = i + 1;
        }
    }
}

static void add(struct script *script, const struct script_op *op)
{
    script->ops[script->count++] = *op;
}

/* The call stands before chunk `place`, or behind the last, or behind the ending. */
static bool one_chunking(struct walk *walk, const struct chunking *chunks,
                         const struct script_op *call, size_t place, const struct script_op *ending)
{
    walk->script.count = 0;
    for (size_t i = 0; i < chunks->count; i++) {
        if (place == i) {
            add(&walk->script, call);
        }
        add(&walk->script, &chunks->feeds[i]);
    }
    if (place == chunks->count) {
        add(&walk->script, call);
    }
    if (ending != NULL) {
        add(&walk->script, ending);
    }
    if (place > chunks->count) {
        add(&walk->script, call);
    }
    add(&walk->script, call);
    return visit(walk);
}

static bool each_place(struct walk *walk, const struct chunking *chunks)
{
    static const struct script_op eof = {.kind = SCRIPT_EOF};
    static const struct script_op exception = {.kind = SCRIPT_SET_EXCEPTION};
    static const struct script_op *const endings[] = {NULL, &eof, &exception};

    for (size_t word = 0; word < walk->word_count; word++) {
        for (size_t end = 0; end < sizeof endings / sizeof endings[0]; end++) {
            const size_t places = chunks->count + (endings[end] != NULL ? 2 : 1);
            for (size_t place = 0; place < places; place++) {
                if (!one_chunking(walk, chunks, &walk->words[word], place, endings[end])) {
                    return false;
                }
            }
        }
    }
    return true;
}

static bool each_cut(struct walk *walk, const char *string, size_t length)
{
    struct chunking chunks;
    for (unsigned cuts = 0; cuts < 1U << (length - 1); cuts++) {
        cut(string, length, cuts, &chunks);
        if (!each_place(walk, &chunks)) {
            return false;
        }
    }
    return true;
}

static bool each_string(struct walk *walk, size_t length)
{
    const char *alphabet = walk->part->alphabet;
    const size_t letters = strlen(alphabet);
    char string[LENGTH_MAX];
    size_t count = 1;

    if (walk->part->distinct) {
        return each_cut(walk, alphabet, length);
    }
    for (size_t i = 0; i < length; i++) {
        count *= letters;
    }
    for (size_t number = 0; number < count; number++) {
        for (size_t i = 0, rest = number; i < length; i++, rest /= letters) {
            string[i] = alphabet[rest % letters];
        }
        if (!each_cut(walk, string, length)) {
            return false;
        }
    }
    return true;
}

/* ---- a part ---- */

static bool each_length(struct walk *walk)
{
    for (size_t length = walk->part->length_min; length <= walk->part->length_max; length++) {
        walk->script.count = 0;
        const bool go_on =
            walk->part->alphabet != NULL ? each_string(walk, length) : each_sequence(walk, length);
        if (!go_on) {
            return false;
        }
    }
    return true;
}

bool scope_each(size_t part, scope_visit *visit_script, void *arg)
{
    static const char letters[] = "npi";
    struct walk walk = {.part = &parts[part], .visit = visit_script, .arg = arg};

    read_words(&walk);
    for (const char *transport = walk.part->transports; *transport != '\0'; transport++) {
        walk.script.transport = (enum script_transport)(strchr(letters, *transport) - letters);
        for (walk.script.limit = 1; walk.script.limit <= walk.part->limit_max;
             walk.script.limit++) {
            if (!each_length(&walk)) {
                return false;
            }
        }
    }
    return true;
}
