/* SPDX-License-Identifier: MIT
 *
 * Bytes to operations, and operations to text.
 */
#include "start_tls_script.h"

#include <stdio.h>

static const long long limits[16] = {0,  1,  2,  3,   4,   5,    7,    8,
                                     10, 16, 64, 100, 256, 1000, 4096, 65536};
static const long long windows[16] = {-1, -1,  -1,  -1,  0,    1,    5,    20,
                                      64, 100, 300, 600, 1000, 1500, 4096, 65536};

static void decode_peer(struct start_tls_script *script, unsigned byte)
{
    static const int versions[] = {0, TLS1_3_VERSION, TLS1_2_VERSION, TLS1_2_VERSION};
    static const char *const names[] = {NULL,      "localhost",  NAME_REQUIRED, NAME_OPTIONAL,
                                        NAME_ALPN, NAME_REFUSED, NAME_BROKEN,   NAME_CLIENT};
    const unsigned identity = byte >> 2 & 7;

    script->peer = (struct peer_setting){
        .is_server = script->kind != NEAR_TLS_SERVER && script->kind != NEAR_BY_HAND_SERVER &&
                     script->kind != NEAR_SERVER,
        .version = versions[byte & 3],
        .identity = identity > IDENTITIES ? IDENTITY_SERVER : identity,
    };
    if (!script->peer.is_server) {
        script->peer.server_name = names[byte >> 5];
    }
}

static void decode_manners(struct manners *manners, unsigned byte)
{
    static const size_t spaces[] = {0, MANNERS_SPACE_MIN, 1000, 40000};
    static const int answers[] = {0, 1, RILL_EUSER, 0};
    static const size_t failures[] = {0, 0, 1, 20};

    manners->space = spaces[byte & 3];
    manners->no_data = (byte & 4) != 0;
    manners->keep_open = answers[byte >> 3 & 3];
    manners->fails_at = failures[byte >> 5 & 3];
    manners->pauses = (byte & 128) != 0;
}

static struct step decode_step(struct program *program)
{
    const unsigned what = program_byte(program);
    struct step step = {.actor = what >> 6 < TASKS ? what >> 6 : TASKS};

    step.kind = (what & 63) % (step.actor < TASKS ? (unsigned)TASK_OPS : (unsigned)WORLD_OPS);
    step.amount = program_byte(program);
    step.aux = program_byte(program);
    if (step.actor == TASKS && (step.kind == WORLD_FORGE || step.kind == WORLD_INSERT)) {
        step.bytes = program_bytes(program, step.amount % 64);
    }
    return step;
}

void start_tls_decode(struct start_tls_script *script, struct program *program)
{
    const unsigned who = program_byte(program);

    *script = (struct start_tls_script){.kind = who < WHO_SERVER ? who % NEAR_KINDS : NEAR_SERVER};
    script->flags = program_byte(program);
    if ((script->flags & FLAG_DROPS) != FLAG_DROPS) {
        script->flags &= ~(unsigned)FLAG_DROPS;
    } else { /* a task that swallows cancellations is thrown away in the middle of a call */
        script->flags &= ~(unsigned)FLAG_GOES_ON;
    }
    script->context = program_byte(program);
    decode_peer(script, program_byte(program));
    script->plan = (struct rig_plan){
        .fresh = (script->flags & FLAG_DROPS) != 0,
        .debug = (script->flags & FLAG_DEBUG) != 0,
        .fail_first = program_byte(program),
        .fail_count = 1,
    };
    const unsigned sizes = program_byte(program);
    script->limit = (struct rill_opt_int){(sizes & 15) != 0, limits[sizes & 15]};
    script->window = (struct rill_opt_int){windows[sizes >> 4] >= 0, windows[sizes >> 4]};
    decode_manners(&script->manners, program_byte(program));
    while (program->left > 0 && script->count < OPS_MAX) {
        script->steps[script->count++] = decode_step(program);
    }
}

/* -- text -------------------------------------------------------------------------------------- */

static const char *const task_names[TASK_OPS] = {
    [NEAR_READ] = "read",
    [NEAR_READ_EXACTLY] = "readexactly",
    [NEAR_READ_TO_END] = "read to end",
    [NEAR_WRITE] = "write",
    [NEAR_WRITE_LINES] = "writelines",
    [NEAR_DRAIN] = "drain",
    [NEAR_START_TLS] = "start_tls",
    [NEAR_WRITE_EOF] = "write_eof",
    [NEAR_CLOSE] = "close",
    [NEAR_WAIT_CLOSED] = "wait_closed",
    [NEAR_ABORT] = "abort",
    [NEAR_PAUSE] = "pause reading",
    [NEAR_RESUME] = "resume reading",
    [NEAR_WRITE_LIMITS] = "write limits",
    [NEAR_READ_LIMITS] = "read limits",
    [NEAR_CLOSE_TIMEOUT] = "close timeout",
    [NEAR_ASK] = "ask",
    [NEAR_SLEEP] = "sleep",
    [TASK_TIMEOUT] = "timeout around",
    [TASK_CANCELS] = "cancel the other",
};

static const char *const world_names[WORLD_OPS] = {
    [WORLD_TURN] = "turn",
    [WORLD_SEND] = "send to rill",
    [WORLD_TAKE] = "take from rill",
    [WORLD_SAY] = "say",
    [WORLD_GOODBYE] = "close_notify",
    [WORLD_UPDATE_KEY] = "key update",
    [WORLD_RENEGOTIATE] = "renegotiate",
    [WORLD_FORGE] = "forge a record",
    [WORLD_FLIP] = "flip a byte",
    [WORLD_INSERT] = "insert bytes",
    [WORLD_FIN] = "FIN",
    [WORLD_RESET] = "RST",
    [WORLD_CLOSE] = "close",
    [WORLD_WINDOW] = "window",
    [WORLD_ADVANCE] = "advance",
    [WORLD_CANCEL] = "cancel",
};

static const char *const kind_names[NEAR_KINDS + 1] = {
    [NEAR_PLAIN] = "in clear",
    [NEAR_TLS_CLIENT] = "TLS client",
    [NEAR_TLS_SERVER] = "TLS server",
    [NEAR_BY_HAND_CLIENT] = "by hand, to be a client",
    [NEAR_BY_HAND_SERVER] = "by hand, to be a server",
    [NEAR_SERVER] = "a server's",
};

void start_tls_print(const void *arg)
{
    const struct start_tls_script *const script = arg;

    (void)fprintf(stderr,
                  "%s, flags %#x, context %u, identity %d, version %#x, allocation %zu, limit "
                  "%lld, window %lld\n",
                  kind_names[script->kind], script->flags, script->context,
                  (int)script->peer.identity, (unsigned)script->peer.version,
                  script->plan.fail_first, script->limit.value, script->window.value);
    for (size_t i = 0; i < script->count; i++) {
        const struct step *const step = &script->steps[i];
        (void)fprintf(stderr, "  %s: %s %u %u\n",
                      step->actor == 0   ? "task 0"
                      : step->actor == 1 ? "task 1"
                                         : "world",
                      (step->actor < TASKS ? task_names : world_names)[step->kind], step->amount,
                      step->aux);
    }
}
