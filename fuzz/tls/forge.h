/* SPDX-License-Identifier: MIT
 *
 * Records of TLS 1.3 with contents that no TLS library would send, under the very keys of a
 * session: corrupted ciphertext ends at its authentication tag, these do not.
 *
 * Only for TLS_AES_128_GCM_SHA256, and with the keys that follow the handshake at once: the peer
 * must have sent nothing with them but the `sequence` records that are counted here.
 */
#ifndef FUZZ_TLS_FORGE_H
#define FUZZ_TLS_FORGE_H

#include <stdbool.h>
#include <stdint.h>

#include "wire.h"

enum { FORGE_SECRET_SIZE = 32 };

struct forge {
    bool ready;
    unsigned char secret[FORGE_SECRET_SIZE]; /* the sender's application traffic secret */
    uint64_t sequence;                       /* of the next record */
};

/* Appends one record whose inner content type is `type`. */
void forge_record(struct forge *forge, unsigned char type, struct rill_bytes content,
                  struct wire *wire);

#endif
