/* SPDX-License-Identifier: MIT
 *
 * fuzz-rate TARGET FOLDER: what the model costs. Plays every file of the folder with the model and
 * without it, in turns, for about a second of CPU each, and prints executions a second of both.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "reader/duel.h"
#include "reader/input.h"
#include "reader/program.h"

typedef void script_player(const struct script *script);

struct side {
    script_player *play;
    double seconds;
    size_t runs;
};

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void play_all(struct side *side, program_read *read, const struct input *inputs,
                     size_t count)
{
    struct program program;
    const double began = cpu_seconds();
    for (size_t i = 0; i < count; i++) {
        read(&program, inputs[i].data, inputs[i].size);
        side->play(&program.script);
    }
    side->seconds += cpu_seconds() - began;
    side->runs += count;
}

static double rate(const struct side *side)
{
    return (double)side->runs / side->seconds;
}

static void compare(program_read *read, const struct input *inputs, size_t count)
{
    struct side with = {.play = duel_play};
    struct side without = {.play = duel_play_alone};

    while (with.seconds + without.seconds < 2.0) {
        play_all(&with, read, inputs, count);
        play_all(&without, read, inputs, count);
    }
    printf("inputs=%zu with_model=%.0f/s without=%.0f/s ratio=%.2f\n", count, rate(&with),
           rate(&without), rate(&with) / rate(&without));
}

int main(int argc, char **argv)
{
    program_read *read = argc == 3 ? program_read_of(argv[1]) : NULL;
    size_t count = 0;

    if (read == NULL) {
        fprintf(stderr, "usage: %s readuntil|limit FOLDER\n", argv[0]);
        return 2;
    }
    struct input *inputs = inputs_read(argv[2], &count);
    if (inputs == NULL || count == 0) {
        fprintf(stderr, "%s: nothing to play\n", argv[2]);
        return 1;
    }
    compare(read, inputs, count);
    for (size_t i = 0; i < count; i++) {
        free(inputs[i].data);
    }
    free(inputs);
    return 0;
}
