/* SPDX-License-Identifier: MIT
 *
 * The transport that a played reader of CPython pauses: a Python object in C that notes it.
 */
#ifndef FUZZ_CPYTHON_TRANSPORT_H
#define FUZZ_CPYTHON_TRANSPORT_H

#include "cpython/player.h"

/* Notes in player->watched; the player must outlive it. */
PyObject *cpython_transport_new(struct cpython_player *player);

#endif
