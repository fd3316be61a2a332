/* SPDX-License-Identifier: MIT
 *
 * The two texts of a script.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static const char transport_letters[] = "npi";
static const char kind_letters[] = "fexkcrnlut";

bool script_is_call(enum script_kind kind)
{
    return kind >= SCRIPT_READ;
}

size_t script_weight(const struct script *script)
{
    size_t sum = 0;
    for (size_t i = 0; i < script->count; i++) {
        sum += script->ops[i].bytes.len;
    }
    return sum;
}

static void move_bytes(struct script_bytes *bytes, char **storage)
{
    if (bytes->len > 0) {
        memcpy(*storage, bytes->ptr, bytes->len);
    }
    bytes->ptr = *storage;
    *storage += bytes->len;
}

void script_copy(const struct script *script, struct script *copy, char *storage)
{
    *copy = *script;
    for (size_t i = 0; i < copy->count; i++) {
        struct script_op *op = &copy->ops[i];
        move_bytes(&op->bytes, &storage);
        for (size_t k = 0; k < op->separator_count; k++) {
            move_bytes(&op->separators[k], &storage);
        }
    }
}

/* ---- writing the line ---- */

static bool stands_for_itself(char byte)
{
    return (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z') ||
           (byte >= '0' && byte <= '9');
}

static void print_bytes(struct script_bytes bytes, FILE *out)
{
    for (size_t i = 0; i < bytes.len; i++) {
        if (stands_for_itself(bytes.ptr[i])) {
            fputc(bytes.ptr[i], out);
        } else {
            fprintf(out, "%%%02X", (unsigned)(unsigned char)bytes.ptr[i]);
        }
    }
}

static void print_op(const struct script_op *op, FILE *out)
{
    fprintf(out, " %c", kind_letters[op->kind]);
    switch (op->kind) {
    case SCRIPT_FEED:
        fputc(':', out);
        print_bytes(op->bytes, out);
        break;
    case SCRIPT_READ:
    case SCRIPT_READEXACTLY:
        fprintf(out, ":%d", op->n);
        break;
    case SCRIPT_READUNTIL:
    case SCRIPT_READUNTIL_TUPLE:
        for (size_t i = 0; i < op->separator_count; i++) {
            fputc(i == 0 ? ':' : ',', out);
            print_bytes(op->separators[i], out);
        }
        break;
    default:
        break;
    }
}

void script_print(const struct script *script, FILE *out)
{
    fprintf(out, "%zu %c", script->limit, transport_letters[script->transport]);
    for (size_t i = 0; i < script->count; i++) {
        print_op(&script->ops[i], out);
    }
}

/* ---- reading it ---- */

static int hex_digit(char digit)
{
    if (digit >= '0' && digit <= '9') {
        return digit - '0';
    }
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Bytes from *at up to `end`, a comma or a space; false: they are malformed. */
static bool parse_bytes(const char **at, const char *end, char **storage,
                        struct script_bytes *bytes)
{
    const char *text = *at;
    char *to = *storage;

    while (text < end && *text != ',') {
        if (stands_for_itself(*text)) {
            *to++ = *text++;
        } else if (*text == '%' && end - text >= 3 && hex_digit(text[1]) >= 0 &&
                   hex_digit(text[2]) >= 0) {
            *to++ = (char)(hex_digit(text[1]) * 16 + hex_digit(text[2]));
            text += 3;
        } else {
            return false;
        }
    }
    *bytes = (struct script_bytes){*storage, (size_t)(to - *storage)};
    *storage = to;
    *at = text;
    return bytes->len <= SCRIPT_CHUNK_MAX;
}

static bool parse_separators(const char *text, const char *end, char **storage,
                             struct script_op *op)
{
    while (text < end) { /* at a colon or a comma */
        text++;
        if (op->separator_count == SCRIPT_SEPARATORS_MAX ||
            !parse_bytes(&text, end, storage, &op->separators[op->separator_count])) {
            return false;
        }
        op->separator_count++;
    }
    return op->kind == SCRIPT_READUNTIL_TUPLE || op->separator_count == 1;
}

static bool parse_number(const char *text, const char *end, int *n)
{
    char *after;
    const long value = strtol(text, &after, 10);
    *n = (int)value;
    return after == end && value >= -128 && value <= 127;
}

bool script_parse_op(const char *text, const char *end, char **storage, struct script_op *op)
{
    const char *letter = text < end ? strchr(kind_letters, *text) : NULL;
    if (letter == NULL || *letter == '\0' || (end - text > 1 && text[1] != ':')) {
        return false;
    }
    *op = (struct script_op){.kind = (enum script_kind)(letter - kind_letters)};
    text++;
    switch (op->kind) {
    case SCRIPT_FEED:
        text++;
        return text <= end && parse_bytes(&text, end, storage, &op->bytes) && text == end;
    case SCRIPT_READ:
    case SCRIPT_READEXACTLY:
        return text < end && parse_number(text + 1, end, &op->n);
    case SCRIPT_READUNTIL:
    case SCRIPT_READUNTIL_TUPLE:
        return parse_separators(text, end, storage, op);
    default:
        return text == end;
    }
}

bool script_parse(const char *line, char *storage, struct script *script)
{
    char *after;
    const long limit = strtol(line, &after, 10);
    const char *transport =
        after[0] == ' ' && after[1] != '\0' ? strchr(transport_letters, after[1]) : NULL;
    if (limit < 1 || limit > SCRIPT_LIMIT_MAX || transport == NULL) {
        return false;
    }
    script->limit = (size_t)limit;
    script->transport = (enum script_transport)(transport - transport_letters);
    script->count = 0;
    for (const char *at = after + 2; *at != '\0' && *at != '\n';) {
        if (*at != ' ' || script->count == SCRIPT_OPS_MAX) {
            return false;
        }
        at++;
        const char *end = at + strcspn(at, " \n");
        if (!script_parse_op(at, end, &storage, &script->ops[script->count])) {
            return false;
        }
        script->count++;
        at = end;
    }
    return true;
}

/* ---- the case ---- */

static void print_literal(struct script_bytes bytes, FILE *out)
{
    fputc('"', out);
    for (size_t i = 0; i < bytes.len; i++) {
        const char byte = bytes.ptr[i];
        if (byte == '\n') {
            fputs("\\n", out);
        } else if (stands_for_itself(byte) || byte == ' ') {
            fputc(byte, out);
        } else {
            fprintf(out, "\\x%02x", (unsigned)(unsigned char)byte);
        }
    }
    fputc('"', out);
}

static void print_separators(const struct script_op *op, FILE *out)
{
    fputs("readuntil (", out);
    for (size_t i = 0; i < op->separator_count; i++) {
        fputs(i == 0 ? "" : ", ", out);
        print_literal(op->separators[i], out);
    }
    fputs(op->separator_count == 1 ? ",)" : ")", out);
}

static void print_call(const struct script_op *op, size_t number, FILE *out)
{
    fprintf(out, "app     r%zu = ", number);
    switch (op->kind) {
    case SCRIPT_READ:
        fprintf(out, "read %d", op->n);
        break;
    case SCRIPT_READEXACTLY:
        fprintf(out, "readexactly %d", op->n);
        break;
    case SCRIPT_READLINE:
        fputs("readline", out);
        break;
    case SCRIPT_READUNTIL:
        fputs("readuntil ", out);
        print_literal(op->separators[0], out);
        break;
    default:
        print_separators(op, out);
        break;
    }
}

static void print_event(const struct script_op *op, size_t calls, FILE *out)
{
    switch (op->kind) {
    case SCRIPT_FEED:
        fputs("app     feed_data ", out);
        print_literal(op->bytes, out);
        break;
    case SCRIPT_EOF:
        fputs("app     feed_eof", out);
        break;
    case SCRIPT_SET_EXCEPTION:
        fputs("app     set_exception " SCRIPT_EXCEPTION_CLASS " \"" SCRIPT_EXCEPTION_TEXT "\"",
              out);
        break;
    case SCRIPT_CLEAR_EXCEPTION:
        fputs("app     set_exception none", out);
        break;
    default: /* whichever waits */
        for (size_t i = 1; i <= calls; i++) {
            fprintf(out, "%s%zu", i == 1 ? "app     cancel r" : "; cancel r", i);
        }
        break;
    }
}

/* A case names a rule: the one that the last operation is about. */
static const char *rule_of(const struct script *script)
{
    static const char *const rules[SCRIPT_KINDS] = {
        [SCRIPT_FEED] = "R-106",          [SCRIPT_EOF] = "R-109",
        [SCRIPT_SET_EXCEPTION] = "R-110", [SCRIPT_CLEAR_EXCEPTION] = "R-110",
        [SCRIPT_CANCEL] = "R-174",        [SCRIPT_READ] = "R-122",
        [SCRIPT_READEXACTLY] = "R-132",   [SCRIPT_READLINE] = "R-180",
        [SCRIPT_READUNTIL] = "R-144",     [SCRIPT_READUNTIL_TUPLE] = "R-156",
    };
    return script->count > 0 ? rules[script->ops[script->count - 1].kind] : "R-103";
}

void script_print_case(const struct script *script, const char *name, FILE *out)
{
    size_t calls = 0;

    fprintf(out, "case    %s\nrule    %s\nlimit   %zu\n", name, rule_of(script), script->limit);
    if (script->transport == SCRIPT_NO_TRANSPORT) {
        fputs("with    reader\n", out);
    } else if (script->transport == SCRIPT_CANNOT_PAUSE) {
        fputs("transport cannot-pause\n", out);
    }
    for (size_t i = 0; i < script->count; i++) {
        const struct script_op *op = &script->ops[i];
        if (script_is_call(op->kind)) {
            print_call(op, ++calls, out);
        } else if (op->kind == SCRIPT_CANCEL && calls == 0) {
            continue; /* there is nothing to cancel */
        } else {
            print_event(op, calls, out);
        }
        fputc('\n', out);
    }
}
