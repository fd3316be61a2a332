/* SPDX-License-Identifier: MIT
 *
 * The embedded player as a program: reads scripts as lines, and writes each with what was seen
 * after every operation, as conformance/model/play_cpython.py does. Then what steering has seen of
 * them.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cpython/player.h"
#include "cpython/steering.h"

struct playing {
    struct cpython python;
    struct cpython_player player;
    char line[1 << 16];
    char storage[1 << 16];
};

static void play(struct playing *playing, const struct script *script)
{
    struct observation seen;
    cpython_player_begin(&playing->player, script);
    for (size_t i = 0; i < script->count; i++) {
        cpython_player_step(&playing->player, &script->ops[i], &seen);
        putchar('\t');
        observation_print(&seen, stdout);
    }
    cpython_player_end(&playing->player);
    putchar('\n');
}

int main(void)
{
    struct playing *playing = calloc(1, sizeof *playing);
    struct script script;
    if (playing == NULL) {
        return EXIT_FAILURE;
    }
    cpython_start(&playing->python);
    cpython_player_init(&playing->player, &playing->python, false);
    const bool steers = cpython_steer(&playing->python);
    while (fgets(playing->line, sizeof playing->line, stdin) != NULL) {
        playing->line[strcspn(playing->line, "\n")] = '\0';
        if (!script_parse(playing->line, playing->storage, &script)) {
            fprintf(stderr, "no script: %s\n", playing->line);
            return EXIT_FAILURE;
        }
        fputs(playing->line, stdout);
        play(playing, &script);
    }
    printf("steers=%d sides=%zu\n", steers ? 1 : 0, cpython_steering_sides());
    return EXIT_SUCCESS; /* the interpreter lives on, and what it has is rooted in `playing` */
}
