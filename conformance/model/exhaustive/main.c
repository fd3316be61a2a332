/* SPDX-License-Identifier: MIT
 *
 * rill-exhaustive: every script of the small scope, rill against the model; and what the harness
 * asks of the model itself (lists of scripts with the model's answers, scripts played, the codec).
 */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <rill/rill.h>

#include "../codec.h"
#include "../model.h"
#include "judge.h"
#include "scope.h"

enum { LINE_MAX_BYTES = 1 << 17 };

enum mode { MODE_JUDGE, MODE_MISTAKES, MODE_LIST, MODE_PLAY, MODE_ENCODE, MODE_DECODE };

struct command {
    enum mode mode;
    const char *part; /* NULL: all */
    size_t shard;     /* from 1 */
    size_t shards;
    size_t every; /* MODE_LIST */
    bool puts_back;
    enum model_mistake mistake;
    struct judge *judge;
};

/* ---- judging ---- */

struct campaign {
    const struct command *command;
    struct judge *judge;
    bool stop_at_first;
    size_t number; /* of the script, over all shards */
    size_t scripts;
    size_t differences;
    bool have_worst;
    struct script shortest; /* of those that differ */
};

static bool shorter(const struct script *a, const struct script *b)
{
    return a->count != b->count ? a->count < b->count : script_weight(a) < script_weight(b);
}

static bool judge_one(void *arg, const struct script *script)
{
    struct campaign *campaign = arg;
    const struct command *command = campaign->command;

    if (campaign->number++ % command->shards != command->shard - 1) {
        return true;
    }
    campaign->scripts++;
    if (judge_script(campaign->judge, script, NULL) == script->count) {
        return true;
    }
    campaign->differences++;
    if (!campaign->have_worst || shorter(script, &campaign->shortest)) {
        campaign->have_worst = true;
        script_copy(script, &campaign->shortest, campaign->judge->storage);
    }
    return !campaign->stop_at_first;
}

static bool wanted(const struct command *command, size_t part)
{
    return command->part == NULL || strcmp(command->part, scope_part_name(part)) == 0;
}

/* As a case, and as the line that --play takes. */
static void show_shortest(struct campaign *campaign, const char *part)
{
    char name[96];

    snprintf(name, sizeof name, "exhaustive/%s", part);
    judge_shrink(campaign->judge, &campaign->shortest);
    script_print_case(&campaign->shortest, name, stdout);
    judge_script(campaign->judge, &campaign->shortest, stdout);
    fputs("# script ", stdout);
    script_print(&campaign->shortest, stdout);
    fputc('\n', stdout);
}

static double seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int judge_parts(void *arg)
{
    const struct command *command = arg;
    size_t scripts = 0;
    size_t differences = 0;

    for (size_t part = 0; part < scope_parts(); part++) {
        struct campaign campaign = {.command = command, .judge = command->judge};
        const double began = seconds_now();
        if (!wanted(command, part)) {
            continue;
        }
        scope_each(part, judge_one, &campaign);
        printf("part %s scripts=%zu differences=%zu seconds=%.1f %s\n", scope_part_name(part),
               campaign.scripts, campaign.differences, seconds_now() - began,
               scope_part_says(part));
        if (campaign.have_worst) {
            show_shortest(&campaign, scope_part_name(part));
        }
        scripts += campaign.scripts;
        differences += campaign.differences;
    }
    printf("scripts=%zu differences=%zu\n", scripts, differences);
    return differences == 0 && scripts > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* The part that notices the mistake, or NULL. A sample first: it is noticed by nearly every part.
 */
static const char *notice(const struct command *command, struct campaign *campaign)
{
    static const size_t strides[] = {101, 1};

    for (size_t i = 0; i < sizeof strides / sizeof strides[0]; i++) {
        struct command sample = *command;
        sample.shards = strides[i];
        for (size_t part = 0; part < scope_parts(); part++) {
            *campaign = (struct campaign){
                .command = &sample, .judge = command->judge, .stop_at_first = true};
            if (wanted(command, part) && !scope_each(part, judge_one, campaign)) {
                return scope_part_name(part);
            }
        }
    }
    return NULL;
}

static int judge_mistakes(void *arg)
{
    const struct command *command = arg;
    int noticed = 0;
    int all = 0;

    for (int i = MODEL_RIGHT + 1; i < MODEL_MISTAKES; i++) {
        const enum model_mistake mistake = (enum model_mistake)i;
        struct campaign campaign;
        command->judge->mistake = mistake;
        const char *part = notice(command, &campaign);
        printf("%-32s ", model_mistake_name(mistake));
        if (part != NULL) {
            judge_shrink(command->judge, &campaign.shortest);
            printf("noticed by %-12s ", part);
            script_print(&campaign.shortest, stdout);
        } else {
            fputs("NOT NOTICED", stdout);
        }
        putchar('\n');
        noticed += part != NULL;
        all++;
    }
    printf("noticed=%d of=%d\n", noticed, all);
    return noticed == all ? EXIT_SUCCESS : EXIT_FAILURE;
}

/* ---- the model's own answers ---- */

static void print_answers(const struct script *script, const struct command *command)
{
    struct model model;
    struct observation seen;

    script_print(script, stdout);
    model_init(&model, script, command->puts_back, command->mistake);
    for (size_t i = 0; i < script->count; i++) {
        model_step(&model, &script->ops[i], &seen);
        putchar('\t');
        observation_print(&seen, stdout);
    }
    putchar('\n');
}

static bool list_one(void *arg, const struct script *script)
{
    struct campaign *campaign = arg;
    if (campaign->number++ % campaign->command->every == 0) {
        print_answers(script, campaign->command);
    }
    return true;
}

static int list_parts(const struct command *command)
{
    struct campaign campaign = {.command = command};
    for (size_t part = 0; part < scope_parts(); part++) {
        if (wanted(command, part)) {
            scope_each(part, list_one, &campaign);
        }
    }
    return EXIT_SUCCESS;
}

/* ---- lines from standard input ---- */

static void print_hex(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        printf("%02x", bytes[i]);
    }
    putchar('\n');
}

static size_t read_hex(const char *line, unsigned char *bytes)
{
    size_t size = 0;
    unsigned value;
    while (sscanf(line + 2 * size, "%2x", &value) == 1) {
        bytes[size++] = (unsigned char)value;
    }
    return size;
}

static bool answer_line(const struct command *command, const char *line, char *storage)
{
    struct script script;
    unsigned char *bytes = (unsigned char *)storage;

    if (command->mode == MODE_DECODE) {
        codec_decode(bytes, read_hex(line, bytes), &script);
        script_print(&script, stdout);
        putchar('\n');
        return true;
    }
    if (!script_parse(line, storage, &script)) {
        fprintf(stderr, "rill-exhaustive: no script: %s", line);
        return false;
    }
    if (command->mode == MODE_PLAY) {
        print_answers(&script, command);
    } else {
        static unsigned char coded[CODEC_BYTES_MAX];
        print_hex(coded, codec_encode(&script, coded));
    }
    return true;
}

static int answer_lines(const struct command *command)
{
    char *line = malloc(LINE_MAX_BYTES);
    char *storage = malloc(LINE_MAX_BYTES);
    int status = line != NULL && storage != NULL ? EXIT_SUCCESS : EXIT_FAILURE;

    while (status == EXIT_SUCCESS && fgets(line, LINE_MAX_BYTES, stdin) != NULL) {
        if (!answer_line(command, line, storage)) {
            status = EXIT_FAILURE;
        }
    }
    free(storage);
    free(line);
    return status;
}

/* ---- options ---- */

static const char usage[] =
    "usage: rill-exhaustive [--part NAME] [--shard I/N] [--break MISTAKE] [--put-back]\n"
    "                       [--mistakes | --list EVERY | --play | --encode | --decode]\n"
    "Judges every script of the small scope, rill against the model, the model broken on request.\n"
    "  --mistakes    each mistake of the model, up to the first script that notices it\n"
    "  --list EVERY  prints every EVERYth script with the model's answers\n"
    "  --play        reads scripts, prints them with the model's answers; --put-back: by Q-17\n"
    "  --encode, --decode  reads scripts, prints their bytes in hexadecimal; the other way\n";

static bool find_mistake(const char *name, enum model_mistake *mistake)
{
    for (int i = 0; i < MODEL_MISTAKES; i++) {
        if (strcmp(name, model_mistake_name((enum model_mistake)i)) == 0) {
            *mistake = (enum model_mistake)i;
            return true;
        }
    }
    return false;
}

static bool find_part(const char *name)
{
    for (size_t i = 0; i < scope_parts(); i++) {
        if (strcmp(name, scope_part_name(i)) == 0) {
            return true;
        }
    }
    return false;
}

static bool read_switch(const char *name, struct command *command)
{
    static const struct {
        const char *name;
        enum mode mode;
    } modes[] = {{"--mistakes", MODE_MISTAKES},
                 {"--play", MODE_PLAY},
                 {"--encode", MODE_ENCODE},
                 {"--decode", MODE_DECODE}};

    for (size_t i = 0; i < sizeof modes / sizeof modes[0]; i++) {
        if (strcmp(name, modes[i].name) == 0) {
            command->mode = modes[i].mode;
            return true;
        }
    }
    command->puts_back = command->puts_back || strcmp(name, "--put-back") == 0;
    return strcmp(name, "--put-back") == 0;
}

static bool read_value(const char *name, const char *value, struct command *command)
{
    if (value == NULL) {
        return false;
    }
    if (strcmp(name, "--part") == 0) {
        command->part = value;
        return find_part(value);
    }
    if (strcmp(name, "--break") == 0) {
        return find_mistake(value, &command->mistake);
    }
    if (strcmp(name, "--list") == 0) {
        command->mode = MODE_LIST;
        command->every = strtoul(value, NULL, 10);
        return command->every > 0;
    }
    return strcmp(name, "--shard") == 0 &&
           sscanf(value, "%zu/%zu", &command->shard, &command->shards) == 2 &&
           command->shard >= 1 && command->shard <= command->shards;
}

static bool read_options(char **argv, struct command *command)
{
    for (char **at = argv + 1; *at != NULL; at++) {
        if (read_switch(*at, command)) {
            continue;
        }
        if (!read_value(at[0], at[1], command)) {
            return false;
        }
        at++;
    }
    return true;
}

static int judge_in_a_loop(struct command *command)
{
    command->judge = malloc(sizeof *command->judge);
    if (command->judge == NULL) {
        return EXIT_FAILURE;
    }
    command->judge->mistake = command->mistake;
    const int status =
        rill_main(command->mode == MODE_JUDGE ? judge_parts : judge_mistakes, command);
    free(command->judge);
    return status;
}

int main(int argc, char **argv)
{
    struct command command = {.shard = 1, .shards = 1, .every = 1};

    (void)argc;
    if (!read_options(argv, &command)) {
        fputs(usage, stderr);
        return 2;
    }
    if (command.mode == MODE_LIST) {
        return list_parts(&command);
    }
    if (command.mode != MODE_JUDGE && command.mode != MODE_MISTAKES) {
        return answer_lines(&command);
    }
    return judge_in_a_loop(&command);
}
