/* SPDX-License-Identifier: MIT
 *
 * A script as text, for whoever reads about a find.
 */
#include "simulated/script.h"

static const char *const task_names[OP_TASK_KINDS] = {
    [OP_READ] = "read",
    [OP_READ_TO_EOF] = "read to eof",
    [OP_READEXACTLY] = "readexactly",
    [OP_READLINE] = "readline",
    [OP_READUNTIL] = "readuntil",
    [OP_READUNTIL_ANY] = "readuntil any",
    [OP_NEXT_LINE] = "next line",
    [OP_SKIP_LINE] = "skip line",
    [OP_READ_INTO] = "read into",
    [OP_WRITE] = "write",
    [OP_WRITELINES] = "writelines",
    [OP_WRITE_BORROWED] = "write borrowed",
    [OP_DRAIN] = "drain",
    [OP_WRITE_EOF] = "write eof",
    [OP_CLOSE] = "close",
    [OP_WAIT_CLOSED] = "wait closed",
    [OP_SLEEP] = "sleep",
    [OP_TIMEOUT] = "timeout around",
    [OP_WAIT_FOR] = "wait for",
    [OP_SET_LIMITS] = "set write buffer limits",
    [OP_SET_CLOSE_TIMEOUT] = "set close timeout",
    [OP_CANCEL] = "cancel",
    [OP_FREE] = "free",
    [OP_ABORT] = "abort",
    [OP_PAUSE_READING] = "pause reading",
    [OP_RESUME_READING] = "resume reading",
    [OP_SET_READ_ALL_MAX] = "set read all max",
    [OP_SPECIAL] = "special",
    [OP_LOOK] = "look",
    [OP_AWAIT] = "await",
    [OP_RAISE] = "raise",
    [OP_YIELD] = "yield",
};

static const char *const common_names[WORLD_KERNEL_KINDS] = {
    [WORLD_TURN] = "turn",
    [WORLD_SEND] = "send",
    [WORLD_SHUTDOWN] = "shutdown",
    [WORLD_CLOSE] = "close",
    [WORLD_RESET] = "reset",
    [WORLD_WINDOW] = "window",
    [WORLD_DISCARD] = "discard",
    [WORLD_CANCEL] = "cancel",
    [WORLD_ADVANCE] = "advance",
    [WORLD_FREE_KIND] = "nothing",
    [WORLD_SHORT_TRANSFERS] = "short transfers",
    [WORLD_LONG_TRANSFERS] = "long transfers",
};

static const char *name_of(const struct op *op, const char *const *world_names)
{
    if (op->actor != SCRIPT_WORLD) {
        return task_names[op->kind];
    }
    return world_names[op->kind] != NULL ? world_names[op->kind] : common_names[op->kind];
}

void script_print(const struct script *script, const char *const *world_names, FILE *to)
{
    for (size_t i = 0; i < script->count; i++) {
        const struct op *op = &script->ops[i];
        const bool world = op->actor == SCRIPT_WORLD;
        if (world) {
            (void)fprintf(to, "  world:  ");
        } else {
            (void)fprintf(to, "  task %u: ", (unsigned)op->actor);
        }
        (void)fprintf(to, "%s, connection %u, %u, %u\n", name_of(op, world_names),
                      (unsigned)op->connection, (unsigned)op->amount, (unsigned)op->aux);
    }
}
