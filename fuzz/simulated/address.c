/* SPDX-License-Identifier: MIT
 *
 * address: what a caller's text becomes. The first byte says which of two; the rest is
 *
 *     even    a path or an abstract name, whose repr is written again by an obvious judge
 *     odd     a host and, behind the first NUL, a port, which are connected to: where inet_pton
 * takes the host, the kernel must see its very address, with the port, and no look-up; and the repr
 * of what getpeername tells must be the text of inet_ntop
 *
 * Whatever else the text is, the call ends, by success or by a documented error.
 */
#include <arpa/inet.h>
#include <math.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "simulated/connection.h"
#include "simulated/script.h"
#include "target.h"

enum { TEXT_MAX = 108, REPR_MAX = 6 * TEXT_MAX + 8 };

/* The one state that outlives an input: the kept loop. The engine's interface has no place for it.
 */
static struct rig rig;

static _Noreturn void mismatch_repr(const char *is, const char *want)
{
    (void)fprintf(stderr, "repr: %s\nwant: %s\n", is, want);
    abort();
}

static _Noreturn void mismatch_answer(const char *host, const char *port, int rc)
{
    (void)fprintf(stderr, "host %s, port %s: %s\n", host, port, rill_error_name(rc));
    abort();
}

/* -- the judge of reprs ---------------------------------------------------------------------- */

/* How many bytes of UTF-8 begin here: by comparing with what each length may begin with. */
static size_t utf8_length(const unsigned char *at, size_t room)
{
    static const struct {
        unsigned char first, last; /* of the first byte */
        unsigned char second, second_last;
        size_t length;
    } rows[] = {
        {0x00, 0x7f, 0, 0, 1},       {0xc2, 0xdf, 0x80, 0xbf, 2}, {0xe0, 0xe0, 0xa0, 0xbf, 3},
        {0xe1, 0xec, 0x80, 0xbf, 3}, {0xed, 0xed, 0x80, 0x9f, 3}, {0xee, 0xef, 0x80, 0xbf, 3},
        {0xf0, 0xf0, 0x90, 0xbf, 4}, {0xf1, 0xf3, 0x80, 0xbf, 4}, {0xf4, 0xf4, 0x80, 0x8f, 4}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (at[0] < rows[i].first || at[0] > rows[i].last || room < rows[i].length) {
            continue;
        }
        bool whole =
            rows[i].length < 2 || (at[1] >= rows[i].second && at[1] <= rows[i].second_last);
        for (size_t j = 2; j < rows[i].length; j++) {
            whole = whole && at[j] >= 0x80 && at[j] <= 0xbf;
        }
        return whole ? rows[i].length : 0;
    }
    return 0;
}

/* One byte, or one character of several, as Python shows it in a str, or in bytes. */
static size_t show(const unsigned char *at, size_t room, char quote, bool is_str, char *out)
{
    const size_t length = is_str ? utf8_length(at, room) : 1;
    const bool hidden = length == 2 && at[0] == 0xc2 && (at[1] <= 0xa0 || at[1] == 0xad);
    if (length == 0) {
        (void)sprintf(out, "\\udc%02x", at[0]);
    } else if (length > 1 && hidden) {
        (void)sprintf(out, "\\x%02x", at[1]);
    } else if (length > 1) {
        memcpy(out, at, length);
        out[length] = '\0';
    } else if (at[0] == '\t' || at[0] == '\n' || at[0] == '\r') {
        (void)sprintf(out, "\\%c", at[0] == '\t' ? 't' : at[0] == '\n' ? 'n' : 'r');
    } else if (at[0] == '\\' || at[0] == (unsigned char)quote) {
        (void)sprintf(out, "\\%c", at[0]);
    } else if (at[0] < ' ' || at[0] > '~') {
        (void)sprintf(out, "\\x%02x", at[0]);
    } else {
        (void)sprintf(out, "%c", at[0]);
    }
    return length > 0 ? length : 1;
}

static void write_repr(const char *path, size_t length, char *out)
{
    const bool is_str = length == 0 || path[0] != '\0';
    const bool doubled = memchr(path, '\'', length) != NULL && memchr(path, '"', length) == NULL;
    const char quote = doubled ? '"' : '\'';
    out += sprintf(out, "%s%c", is_str ? "" : "b", quote);
    for (size_t i = 0; i < length;) {
        i += show((const unsigned char *)path + i, length - i, quote, is_str, out);
        out += strlen(out);
    }
    (void)sprintf(out, "%c", quote);
}

static void play_path(const struct input *input)
{
    struct rill_address address = {.family = AF_UNIX};
    char is[REPR_MAX];
    char want[REPR_MAX];

    address.path_len = input->size < TEXT_MAX ? input->size : TEXT_MAX;
    if (address.path_len > 0) {
        memcpy(address.path, input->data, address.path_len);
    }
    write_repr(address.path, address.path_len, want);
    const size_t length = rill_address_repr(&address, is, sizeof is);
    if (strcmp(is, want) != 0 || length != strlen(want)) {
        mismatch_repr(is, want);
    }
    const size_t cut = length / 2; /* what does not fit is cut, and the length told all the same */
    if (rill_address_repr(&address, is, cut + 1) != length || strncmp(is, want, cut) != 0 ||
        strlen(is) != cut) {
        mismatch_repr(is, want);
    }
}

/* -- hosts and ports ------------------------------------------------------------------------- */

struct texts {
    char host[TEXT_MAX + 1];
    char port[TEXT_MAX + 1];
};

/* The port where it is plain digits; -1: it is something else, which is not judged. */
static long plain_port(const char *port)
{
    const size_t digits = strspn(port, "0123456789");
    return digits > 0 && digits < 6 && port[digits] == '\0' ? atol(port) : -1;
}

static bool as_python_shows(const struct texts *texts, char *want, size_t size)
{
    const long port = plain_port(texts->port);
    unsigned char bytes[sizeof(struct in6_addr)];
    char host[INET6_ADDRSTRLEN];
    const bool v4 = inet_pton(AF_INET, texts->host, bytes) == 1;
    if ((!v4 && inet_pton(AF_INET6, texts->host, bytes) != 1) || port < 0 || port > 65535) {
        return false;
    }
    (void)inet_ntop(v4 ? AF_INET : AF_INET6, bytes, host, sizeof host);
    (void)snprintf(want, size, v4 ? "('%s', %ld)" : "('%s', %ld, 0, 0)", host, port);
    return true;
}

static void judge_peer(const struct texts *texts, const struct rill_writer *writer)
{
    struct rill_address peer;
    char is[REPR_MAX];
    char want[REPR_MAX];
    if (as_python_shows(texts, want, sizeof want)) {
        (void)rill_writer_get_peername(writer, &peer);
        (void)rill_address_repr(&peer, is, sizeof is);
        if (strcmp(is, want) != 0) {
            mismatch_repr(is, want);
        }
    }
}

static int connect_to(void *arg)
{
    const struct texts *texts = arg;
    struct rill_reader *reader;
    struct rill_writer *writer;
    char want[REPR_MAX];

    const int rc = rill_open_connection(texts->host, texts->port, NULL, &reader, &writer);
    if (rc == 0) {
        judge_peer(texts, writer);
        rill_writer_free(writer);
    } else if (as_python_shows(texts, want, sizeof want) ||
               (rc != RILL_EOVERFLOW && rc != RILL_EGAI)) {
        mismatch_answer(texts->host, texts->port, rc);
    }
    return 0;
}

static void take_text(struct input *input, char *text)
{
    for (size_t i = 0; i < TEXT_MAX; i++) {
        text[i] = (char)input_byte(input);
        if (text[i] == '\0') {
            return;
        }
    }
    text[TEXT_MAX] = '\0';
}

static void play_host(struct input *input)
{
    const struct rig_plan plan = {0};
    struct texts texts = {{0}, {0}};
    struct rill_task *task;

    take_text(input, texts.host);
    take_text(input, texts.port);
    (void)rig_begin(&rig, &plan);
    rig.kernel.outcome = KERNEL_AT_ONCE;
    rig.kernel.lookup_status = EAI_NONAME;
    const struct rill_task_options options = {.loop = rig.loop};
    if (rill_task_create(connect_to, &texts, &options, &task) == 0) {
        rig_settle(&rig);
        kernel_run_jobs(&rig.kernel);
        rig_settle_until(&rig, INFINITY);
        rill_task_free(task);
    }
    rig_check_idle(&rig);
    rig_end(&rig);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    rig_init(&rig, rig_warm_up, &rig);
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input input = {data, size};
    if (input_byte(&input) % 2 == 0) {
        play_path(&input);
    } else {
        play_host(&input);
    }
    return 0;
}
