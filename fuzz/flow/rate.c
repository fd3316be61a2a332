/* SPDX-License-Identifier: MIT
 *
 * fuzz-rate-flow FOLDER: what the model of `flow` costs. Plays every file of the folder with the
 * model and then the same operations without it, for about two seconds of CPU, and prints
 * executions a second of both.
 */
#include <stdlib.h>
#include <time.h>

#include "flow/duel.h"
#include "reader/input.h"

struct rates {
    double with_model;
    double without;
    size_t runs;
};

static double cpu_seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void play_all(struct rates *rates, struct flow_duel *duel, struct rig *rig,
                     const struct input *inputs, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const double began = cpu_seconds();
        flow_duel_play(duel, rig, inputs[i].data, inputs[i].size);
        const double between = cpu_seconds();
        flow_duel_play_alone(duel, rig);
        rates->with_model += between - began;
        rates->without += cpu_seconds() - between;
    }
    rates->runs += count;
}

static void print_rates(const struct rates *rates, size_t count)
{
    const double runs = (double)rates->runs;
    printf("inputs=%zu with_model=%.0f/s without=%.0f/s ratio=%.2f\n", count,
           runs / rates->with_model, runs / rates->without, rates->without / rates->with_model);
}

static void measure(const struct input *inputs, size_t count)
{
    static struct rig rig; /* the kept loop lasts as long as the process */
    struct flow_duel duel;
    struct rates rates = {0};

    flow_rig_init(&rig);
    while (rates.with_model + rates.without < 2.0) {
        play_all(&rates, &duel, &rig, inputs, count);
    }
    print_rates(&rates, count);
}

int main(int argc, char **argv)
{
    size_t count = 0;
    struct input *inputs = argc == 2 ? inputs_read(argv[1], &count) : NULL;

    if (inputs == NULL || count == 0) {
        fprintf(stderr, "usage: %s FOLDER\n\nThe folder has inputs of the target flow.\n", argv[0]);
        return 2;
    }
    measure(inputs, count);
    for (size_t i = 0; i < count; i++) {
        free(inputs[i].data);
    }
    free(inputs);
    return 0;
}
