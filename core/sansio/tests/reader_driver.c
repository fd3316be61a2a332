/* SPDX-License-Identifier: MIT
 *
 * Plays programs of reader operations from standard input and prints what each did, one line for
 * one operation. The other side, oracle_reader.py, plays the same on CPython's StreamReader and
 * compares. The format:
 *
 *     P LIMIT TRANSPORT   a new reader; transport 0: none, 1: pauses, 2: cannot pause
 *     F HEX               feed_data
 *     E                   feed_eof
 *     X NUMBER            set_exception with the exception of that number; 0 clears
 *     B ID KIND ARGUMENT  begin call ID: r N, x N (readexactly), a (to EOF), l (readline), u
 * SEPARATOR,... (each HEX) T                   one turn of the loop: what is ready runs, in its
 * order C ID                cancel the task of call ID
 *
 * HEX is an `h` followed by digits, so that no bytes at all can be written.
 */
#include <check.h>

#include "sansio/stream_reader.h"

enum { CALLS = 4, SEPARATORS = 4, LINE_SIZE = 4096, EXCEPTIONS = 4 };

struct call {
    struct rill__read read; /* first: the port gets a pointer to it */
    struct rill_bytes separators[SEPARATORS];
    char bytes[SEPARATORS][64];
    bool cancelled;
    bool queued;
};

struct player {
    struct rill__reader reader;
    bool running;
    int pause_answer;
    struct call calls[CALLS];
    struct call *ready[CALLS];
    size_t ready_count;
    const struct rill_error *exceptions[EXCEPTIONS];
    char log[256];
};

static void add_to_log(struct player *player, const char *what)
{
    strncat(player->log, what, sizeof player->log - strlen(player->log) - 1);
}

static int pause_reading(void *arg)
{
    struct player *player = arg;
    add_to_log(player, "p");
    return player->pause_answer;
}

static void resume_reading(void *arg)
{
    add_to_log(arg, "r");
}

static void queue(struct player *player, struct call *call)
{
    if (!call->queued) {
        call->queued = true;
        player->ready[player->ready_count++] = call;
    }
}

static void wake(void *arg, struct rill__read *read)
{
    queue(arg, (struct call *)read);
}

static const struct rill__reader_port port = {pause_reading, resume_reading, wake};

static void print_hex(struct rill_bytes bytes)
{
    putchar('h');
    for (size_t i = 0; i < bytes.len; i++) {
        printf("%02x", (unsigned)(unsigned char)bytes.ptr[i]);
    }
}

static int digit(char hex)
{
    return hex <= '9' ? hex - '0' : hex - 'a' + 10;
}

/* Reads `h` and digits; moves the cursor behind them. */
static struct rill_bytes parse_hex(const char **cursor, char *bytes)
{
    const char *at = *cursor + 1;
    size_t length = 0;
    for (; strchr("0123456789abcdef", *at) != NULL && *at != '\0'; at += 2) {
        bytes[length++] = (char)(digit(at[0]) * 16 + digit(at[1]));
    }
    *cursor = at;
    return (struct rill_bytes){bytes, length};
}

static void print_error(const struct rill_error *error)
{
    printf("%s(%s)", rill_error_name(error->code), error->text);
    if (error->code == RILL_EINCOMPLETE) {
        print_hex(error->partial);
        printf(",%lld", error->expected);
    }
    if (error->code == RILL_ELIMIT) {
        printf("%zu", error->consumed);
    }
    if (error->cause != NULL) {
        printf("<-");
        print_error(error->cause);
    }
}

static void report(struct player *player, struct call *call, int rc)
{
    printf("%d=", (int)(call - player->calls));
    if (rc == RILL__READ_WAIT) {
        printf("waits ");
    } else if (rc == 0) {
        print_hex(call->read.result);
        putchar(' ');
    } else {
        print_error(call->read.error);
        putchar(' ');
        rill_error_unref(call->read.error);
    }
}

static void turn(struct player *player)
{
    struct call *ready[CALLS];
    const size_t count = player->ready_count;
    memcpy(ready, player->ready, sizeof ready);
    player->ready_count = 0;
    for (size_t i = 0; i < count; i++) {
        ready[i]->queued = false;
        if (ready[i]->cancelled) {
            rill__read_cancelled(&player->reader, &ready[i]->read);
            printf("%d=CancelledError() ", (int)(ready[i] - player->calls));
        } else {
            report(player, ready[i], rill__read_step(&player->reader, &ready[i]->read));
        }
    }
}

static void cancel(struct player *player, struct call *call)
{
    call->cancelled = true;
    rill__read_cancel_requested(&call->read);
    queue(player, call);
}

static void begin(struct player *player, const char *text)
{
    struct call *call = &player->calls[text[0] - '0'];
    const char *argument = text + 3;
    call->cancelled = false;
    call->read.n = 0;
    call->read.separators = call->separators;
    call->read.separator_count = 0;
    switch (text[2]) {
    case 'r':
        call->read.kind = RILL__READ_SOME;
        call->read.n = strtoll(argument, NULL, 10);
        break;
    case 'x':
        call->read.kind = RILL__READ_EXACTLY;
        call->read.n = strtoll(argument, NULL, 10);
        break;
    case 'a':
        call->read.kind = RILL__READ_TO_EOF;
        break;
    case 'l':
        call->read.kind = RILL__READ_LINE;
        break;
    default:
        call->read.kind = RILL__READ_UNTIL;
        for (size_t i = 0; i < SEPARATORS && (argument[0] == ' ' || argument[0] == ','); i++) {
            argument++;
            call->separators[i] = parse_hex(&argument, call->bytes[i]);
            call->read.separator_count++;
        }
        break;
    }
    /* The short way first, as the public call goes: the programs then judge both. */
    const bool short_way = call->read.kind == RILL__READ_LINE &&
                           rill__read_line_now(&player->reader, &call->read.result);
    report(player, call, short_way ? 0 : rill__read_begin(&player->reader, &call->read));
}

static void end_program(struct player *player)
{
    if (!player->running) {
        return;
    }
    if (player->reader.waiter != NULL) {
        rill__read_cancelled(&player->reader, player->reader.waiter);
    }
    rill__reader_cleanup(&player->reader);
    player->ready_count = 0;
    memset(player->calls, 0, sizeof player->calls);
    player->running = false;
}

static void start_program(struct player *player, const char *text)
{
    char *end;
    end_program(player);
    size_t limit = (size_t)strtoll(text, &end, 10);
    long transport = strtol(end, NULL, 10);
    rill__reader_init(&player->reader, limit, &port, player);
    player->reader.has_transport = transport > 0;
    player->pause_answer = transport == 2 ? RILL_ENOTIMPLEMENTED : 0;
    player->running = true;
}

static void feed(struct player *player, const char *text)
{
    char bytes[LINE_SIZE];
    const struct rill_error *error = NULL;
    struct rill_bytes data = parse_hex(&text, bytes);
    if (rill__reader_feed_data(&player->reader, data.ptr, data.len, &error) < 0) {
        print_error(error);
        putchar(' ');
        rill_error_unref(error);
    }
}

static void print_state(struct player *player)
{
    const struct rill__reader *reader = &player->reader;
    printf("| ");
    print_hex(
        (struct rill_bytes){rill__buffer_data(&reader->buffer), rill__reader_buffered(reader)});
    printf(" eof=%d paused=%d log=%s\n", reader->eof, reader->paused, player->log);
    player->log[0] = '\0';
}

static void play(struct player *player, const char *line)
{
    switch (line[0]) {
    case 'P':
        start_program(player, line + 2);
        break;
    case 'F':
        feed(player, line + 2);
        break;
    case 'E':
        rill__reader_feed_eof(&player->reader);
        break;
    case 'X':
        rill__reader_set_exception(&player->reader, player->exceptions[line[2] - '0']);
        break;
    case 'B':
        begin(player, line + 2);
        break;
    case 'T':
        turn(player);
        break;
    default:
        cancel(player, &player->calls[line[2] - '0']);
        break;
    }
    print_state(player);
}

int main(void)
{
    static struct player player;
    char line[LINE_SIZE];
    for (int i = 1; i < EXCEPTIONS; i++) {
        player.exceptions[i] = rill_error_new(RILL_ECONNRESET, "exception %d", i);
    }
    while (fgets(line, sizeof line, stdin) != NULL) {
        play(&player, line);
    }
    end_program(&player);
    for (int i = 1; i < EXCEPTIONS; i++) {
        rill_error_unref(player.exceptions[i]);
    }
    return EXIT_SUCCESS;
}
