/* SPDX-License-Identifier: MIT
 *
 * A program from its first byte to its last.
 */
#ifndef FUZZ_FAULTS_PLAY_H
#define FUZZ_FAULTS_PLAY_H

#include "faults/stage.h"

/* Plays the program and judges all of it. `stage` need not be cleared. */
void faults_play(struct faults_stage *stage, struct allocations *allocations, const uint8_t *data,
                 size_t size);

#endif
