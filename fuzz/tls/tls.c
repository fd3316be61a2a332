/* SPDX-License-Identifier: MIT
 *
 * Target `tls`: rill's engine and OpenSSL on a wire in memory. The input says who they are, then
 * what happens: bytes carried in pieces, writes, closes, key updates; records that are damaged,
 * lost, repeated, forged; ciphertext of the input's own.
 *
 * What must hold: every call of rill succeeds or fails as documented; what is read is what the
 * other end wrote, from its beginning on, and all of it when the wire was left alone; an end is
 * clean only behind a close_notify; nothing is left.
 */
#include <stdlib.h>
#include <string.h>

#include <openssl/err.h>

#include "judge.h"
#include "material.h"
#include "peer.h"
#include "program.h"
#include "scarcity.h"
#include "side.h"
#include "target.h"

/* The allocator of the process. */
static struct allocations memory;

enum {
    STEPS_MAX = 200,
    RECONNECT_AS = 240, /* an operation's byte from here on: asks for another name */
    RARE_NAME = 240,    /* so for the byte of a name */
    SCARCE = 248,       /* and from here on: something fails in what comes next */
    ROUNDS_MAX = 64,    /* of an exchange before it must have come to rest */
    PIECES_MAX = 256,   /* into which one delivery is cut */
    SAID_MAX = 1 << 20, /* bytes of each side */
    RECONNECTIONS_MAX = 2
};

enum op {
    OP_EXCHANGE, /* to rest */
    OP_CARRY_TO_RILL,
    OP_CARRY_TO_PEER,
    OP_RILL_SAYS,
    OP_PEER_SAYS,
    OP_RILL_CLOSES,
    OP_PEER_CLOSES,
    OP_PEER_UPDATES_KEY,
    OP_PEER_RENEGOTIATES,
    OP_FORGE,
    OP_FLIP,
    OP_DROP,
    OP_INSERT,
    OP_DROP_RECORD,
    OP_REPEAT_RECORD,
    OP_SWAP_RECORDS,
    OP_TAMPER_WITH_RILLS, /* one of FLIP to SWAP_RECORDS on the way to the peer */
    OP_CIPHERTEXT,        /* the rest of the input */
    OP_RECONNECT,
    OP_ASK,
    OPS,
};

/* Who they are: the input's first bytes. */
struct setting {
    bool server_side;
    bool skip_hostname;
    struct rill_ssl_context *context;
    const char *server_hostname;
    struct peer_setting peer;
};

struct game {
    const struct material *material;
    struct program *program;
    struct setting setting;
    struct side rill;
    struct peer peer;
    struct wire to_rill;
    struct wire to_peer;
    size_t carried; /* to the peer, bytes */
    unsigned reconnections;
    size_t piece;
};

/* -- setting ----------------------------------------------------------------------------------- */

static const char *choose_hostname(struct program *program)
{
    static const char *const names[] = {"localhost", "127.0.0.1",  "::1",  "other.test",
                                        "wrong",     "127.0.0.99", "a..b", ".localhost",
                                        "",          "127.1"};
    return names[program_choice(program, sizeof names / sizeof names[0])];
}

static const char *choose_server_name(struct program *program)
{
    static const char *const names[] = {NULL,      "localhost",  NAME_REQUIRED, NAME_OPTIONAL,
                                        NAME_ALPN, NAME_REFUSED, NAME_BROKEN,   NAME_CLIENT};
    const unsigned byte = program_byte(program);

    if (byte >= RARE_NAME) {
        return byte % 2 == 0 ? NAME_DEFAULT : NAME_ABOVE;
    }
    return names[byte % (sizeof names / sizeof names[0])];
}

/* The offers of a client are behind their lengths, a server's answer is bare. */
static struct rill_bytes choose_alpn(struct program *program, bool is_server)
{
    static const char *const offers[] = {"", "\2h2", "\10http/1.1\2h2", "\3foo"};
    static const char *const answers[] = {"", "h2", "http/1.1", "none of them"};
    const unsigned choice = program_choice(program, 5);

    if (choice == 4) {
        return program_bytes(program, program_byte(program));
    }
    return rill_bytes_of(is_server ? answers[choice] : offers[choice]);
}

static struct setting choose_setting(struct program *program, const struct material *material)
{
    static const int versions[] = {0, TLS1_3_VERSION, TLS1_2_VERSION, TLS1_1_VERSION};
    static const char *const ciphers[] = {NULL, "ECDHE-ECDSA-CHACHA20-POLY1305",
                                          "ECDHE-ECDSA-AES128-SHA256",
                                          "ECDHE-RSA-AES128-GCM-SHA256"};
    const unsigned who = program_byte(program);
    struct setting setting = {.server_side = (who & 1) != 0, .skip_hostname = (who & 2) != 0};

    setting.context = setting.server_side ? material->servers[program_choice(program, SERVERS)]
                                          : material->clients[program_choice(program, CLIENTS)];
    setting.server_hostname = setting.server_side ? NULL : choose_hostname(program);
    setting.peer.is_server = !setting.server_side;
    setting.peer.server_name = setting.server_side ? choose_server_name(program) : NULL;
    const unsigned protocol = program_byte(program);
    setting.peer.version = versions[protocol % 4];
    setting.peer.ciphers = ciphers[protocol / 4 % 4];
    setting.peer.prefers_p256 = (protocol & 0x80) != 0;
    setting.peer.identity = program_choice(program, IDENTITIES + 1);
    setting.peer.alpn = choose_alpn(program, setting.peer.is_server);
    return setting;
}

/* -- carrying ---------------------------------------------------------------------------------- */

/* Each piece in memory of its own size: a sanitizer sees whoever reads beyond it. */
static void give_rill(struct game *game, const char *data, size_t size, size_t piece)
{
    const size_t least = size / PIECES_MAX + 1;

    piece = piece == 0 ? size : piece > least ? piece : least;
    for (size_t at = 0; at < size; at += piece) {
        const size_t count = size - at < piece ? size - at : piece;
        char *const copy = malloc(count);
        if (copy == NULL) {
            abort();
        }
        memcpy(copy, data + at, count);
        side_take(&game->rill, copy, count);
        free(copy);
    }
}

/* Taken off the wire first: an answer may be put on it meanwhile. */
static char *take_off(struct wire *wire, size_t size)
{
    char *const data = malloc(size + 1);
    if (data == NULL) {
        abort();
    }
    memcpy(data, wire->bytes, size);
    wire_drop_front(wire, size);
    return data;
}

static void carry_to_rill(struct game *game, size_t at_most, size_t piece)
{
    const size_t size = at_most < game->to_rill.length ? at_most : game->to_rill.length;
    if (size > 0) {
        char *const data = take_off(&game->to_rill, size);
        give_rill(game, data, size, piece);
        free(data);
    }
}

static void give_peer(struct game *game, size_t size)
{
    if (size > 0) {
        char *const data = take_off(&game->to_peer, size);
        game->peer.said_by_rill = side_said_at_most(&game->rill, game->carried);
        peer_take(&game->peer, data, size);
        game->carried += size;
        free(data);
    }
}

/* What was sent until a write failed are whole records in their order, if all was well before.
 * OpenSSL itself, without memory, ends them with an alert. */
static void judge_front(const struct game *game, bool was_well)
{
    if (was_well && game->peer.failed && !game->rill.cut_late && !game->peer.renegotiates &&
        !game->to_peer.tampered && !game->to_rill.tampered && !scarcity_was_felt()) {
        invariant_records_unreadable();
    }
}

/* What rill sent until a write failed is for itself: behind it other rules hold. */
static void carry_to_peer(struct game *game, size_t at_most)
{
    const size_t size = at_most < game->to_peer.length ? at_most : game->to_peer.length;
    const size_t cut_at = game->rill.cut_at;
    const size_t to_cut = cut_at > game->carried ? cut_at - game->carried : 0;
    const size_t first = to_cut < size ? to_cut : size;
    const bool was_well = first > 0 && game->peer.handshaken && !game->peer.failed;

    give_peer(game, first);
    judge_front(game, was_well);
    give_peer(game, size - first);
}

static void exchange(struct game *game, size_t piece)
{
    for (int round = 0; game->to_rill.length > 0 || game->to_peer.length > 0; round++) {
        if (round == ROUNDS_MAX) {
            invariant_no_quiet();
        }
        carry_to_rill(game, SIZE_MAX, piece);
        carry_to_peer(game, SIZE_MAX);
    }
}

/* -- life -------------------------------------------------------------------------------------- */

static bool begin(struct game *game, SSL_SESSION *session)
{
    struct peer_setting peer = game->setting.peer;

    game->carried = 0;
    peer.session = session;
    repeatable_side(RANDOM_OF_PEER);
    const bool opened = peer_open(&game->peer, game->material, &peer, &game->to_rill);
    repeatable_side(RANDOM_OF_RILL);
    game->rill =
        (struct side){.peer = &game->peer, .to_peer = &game->to_peer, .piece = game->piece};
    if (!opened || !side_open(&game->rill, game->setting.context, game->setting.server_side,
                              game->setting.server_hostname, game->setting.skip_hostname)) {
        return false;
    }
    side_take(&game->rill, "", 0); /* a client speaks first */
    peer_take(&game->peer, "", 0);
    return true;
}

static void end(struct game *game)
{
    if (game->peer.ssl != NULL) {
        side_close(&game->rill);
        peer_close(&game->peer);
    }
    wire_free(&game->to_rill);
    wire_free(&game->to_peer);
}

/* A client that comes back with the session it has. */
static bool reconnect(struct game *game)
{
    if (!game->setting.server_side || game->reconnections == RECONNECTIONS_MAX) {
        return true;
    }
    game->reconnections++;
    SSL_SESSION *const session = SSL_get1_session(game->peer.ssl);
    end(game);
    const bool begun = begin(game, session);
    SSL_SESSION_free(session);
    ERR_clear_error();
    return begun;
}

/* -- steps ------------------------------------------------------------------------------------- */

static void tamper(struct program *program, struct wire *wire, enum op op)
{
    const size_t at = program_byte(program) << 8 | program_byte(program);

    switch (op) {
    case OP_FLIP:
        wire_flip(wire, at, (unsigned char)program_byte(program));
        break;
    case OP_DROP:
        wire_drop(wire, at, program_byte(program));
        break;
    case OP_INSERT:
        wire_insert(wire, at, program_bytes(program, program_byte(program)));
        break;
    case OP_DROP_RECORD:
        wire_drop_record(wire, at);
        break;
    case OP_REPEAT_RECORD:
        wire_repeat_record(wire, at);
        break;
    default:
        wire_swap_records(wire, at);
        break;
    }
}

static void forge(struct game *game)
{
    static const unsigned char types[] = {20, 21, 22, 23, 24, 0, 255};
    const unsigned char type = types[program_choice(game->program, sizeof types)];
    peer_forge(&game->peer, type, program_bytes(game->program, program_byte(game->program)));
}

static void raw_ciphertext(struct game *game)
{
    const size_t piece = program_byte(game->program);
    const struct rill_bytes rest = program_bytes(game->program, SIZE_MAX);

    game->to_rill.tampered = true;
    give_rill(game, rest.ptr, rest.len, piece);
}

static void say(struct game *game, enum op op)
{
    const size_t count = program_length(game->program);

    if (op == OP_RILL_SAYS && game->rill.said + count <= SAID_MAX && !game->rill.closing) {
        side_say(&game->rill, count);
    } else if (op == OP_PEER_SAYS && game->peer.said + count <= SAID_MAX) {
        (void)peer_say(&game->peer, count);
    }
}

/* False: nothing more can be done. */
static bool step(struct game *game)
{
    const unsigned byte = program_byte(game->program);
    if (byte >= SCARCE) {
        scarcity_plan_next(game->program, &memory);
        return true;
    }
    if (byte >= RECONNECT_AS) {
        game->setting.peer.server_name = choose_server_name(game->program);
        return reconnect(game);
    }
    const enum op op = byte % OPS;

    switch (op) {
    case OP_EXCHANGE:
        exchange(game, program_byte(game->program));
        break;
    case OP_CARRY_TO_RILL:
        carry_to_rill(game, program_length(game->program), 0);
        break;
    case OP_CARRY_TO_PEER:
        carry_to_peer(game, program_length(game->program));
        break;
    case OP_RILL_SAYS:
    case OP_PEER_SAYS:
        say(game, op);
        break;
    case OP_RILL_CLOSES:
        side_say_goodbye(&game->rill);
        break;
    case OP_PEER_CLOSES:
        peer_say_goodbye(&game->peer);
        break;
    case OP_PEER_UPDATES_KEY:
        peer_update_key(&game->peer, (program_byte(game->program) & 1) != 0);
        break;
    case OP_PEER_RENEGOTIATES:
        peer_renegotiate(&game->peer);
        break;
    case OP_FORGE:
        forge(game);
        break;
    case OP_TAMPER_WITH_RILLS:
        tamper(game->program, &game->to_peer,
               OP_FLIP + program_choice(game->program, OP_SWAP_RECORDS - OP_FLIP + 1));
        break;
    case OP_CIPHERTEXT:
        raw_ciphertext(game);
        break;
    case OP_RECONNECT:
        return reconnect(game);
    case OP_ASK:
        side_ask(&game->rill);
        break;
    default:
        tamper(game->program, &game->to_rill, op);
        break;
    }
    return true;
}

/* -- the end ----------------------------------------------------------------------------------- */

static bool is_fine(const struct game *game)
{
    return !game->to_rill.tampered && !game->to_peer.tampered && game->rill.handshaken &&
           game->peer.handshaken && !game->rill.failed && !game->peer.failed &&
           !judge_lacks_memory();
}

/* Over a wire that nobody touched everything arrives, and the ends are told. */
static void judge_whole(const struct game *game)
{
    const struct side *const rill = &game->rill;
    const struct peer *const peer = &game->peer;

    if (!is_fine(game)) {
        return;
    }
    if (peer->heard != rill->said) {
        invariant_bytes_lost("rill's", peer->heard, rill->said);
    }
    if (!rill->closing && rill->heard != peer->said) {
        invariant_bytes_lost("the peer's", rill->heard, peer->said);
    }
    if (rill->ended != peer->said_goodbye || rill->closing != peer->heard_goodbye) {
        invariant_end_not_told();
    }
}

static void play(struct program *program)
{
    static const size_t pieces[] = {4096, 1, 7, 16384, 20000, 100};
    struct game game = {.material = material_get(), .program = program};

    game.setting = choose_setting(program, game.material);
    game.piece = pieces[program_choice(program, sizeof pieces / sizeof pieces[0])];
    allocations_next_input(&memory);
    allocations_plan(&memory, program_byte(program), 1);
    scarcity_plan(0);
    bool alive = begin(&game, NULL);
    for (int i = 0; i < STEPS_MAX && alive && program->left > 0; i++) {
        alive = step(&game);
    }
    if (alive) {
        exchange(&game, 0);
        judge_whole(&game);
    }
    end(&game);
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    scarcity_install();
    allocations_install(&memory);
    judge_watch(&memory);
    repeatable_install();
    (void)material_get();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct program program = {data, size};
    const size_t before = memory.blocks;

    repeatable_restart();
    play(&program);
    allocations_heal(&memory);
    scarcity_heal();
    judge_queue();
    judge_memory(before);
    return 0;
}
