/* SPDX-License-Identifier: MIT
 *
 * RFC 8446: 7.1's key schedule for one secret, and 5.2's record.
 */
#include "forge.h"

#include <stdlib.h>
#include <string.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>

enum { KEY_SIZE = 16, NONCE_SIZE = 12, TAG_SIZE = 16, HEADER_SIZE = 5 };

static void need(bool worked)
{
    if (!worked) {
        abort();
    }
}

/* HKDF-Expand-Label with an empty context; `size` is less than a hash, so one block is all. */
static void expand(const unsigned char *secret, const char *label, unsigned char *key, size_t size)
{
    unsigned char info[64];
    unsigned char block[EVP_MAX_MD_SIZE];
    const size_t length = strlen(label);
    size_t used = 0;

    info[used++] = 0;
    info[used++] = (unsigned char)size;
    info[used++] = (unsigned char)length;
    memcpy(info + used, label, length);
    used += length;
    info[used++] = 0; /* the context */
    info[used++] = 1; /* the block's number */
    need(HMAC(EVP_sha256(), secret, FORGE_SECRET_SIZE, info, used, block, NULL) != NULL);
    memcpy(key, block, size);
}

static void seal(const struct forge *forge, const unsigned char *header, unsigned char *text,
                 size_t size, unsigned char *tag)
{
    unsigned char key[KEY_SIZE];
    unsigned char nonce[NONCE_SIZE];
    int count;
    EVP_CIPHER_CTX *const cipher = EVP_CIPHER_CTX_new();

    expand(forge->secret, "tls13 key", key, sizeof key);
    expand(forge->secret, "tls13 iv", nonce, sizeof nonce);
    for (size_t i = 0; i < sizeof forge->sequence; i++) {
        nonce[NONCE_SIZE - 1 - i] ^= (unsigned char)(forge->sequence >> (8 * i));
    }
    need(cipher != NULL && EVP_EncryptInit_ex(cipher, EVP_aes_128_gcm(), NULL, key, nonce) == 1 &&
         EVP_EncryptUpdate(cipher, NULL, &count, header, HEADER_SIZE) == 1 &&
         EVP_EncryptUpdate(cipher, text, &count, text, (int)size) == 1 &&
         EVP_EncryptFinal_ex(cipher, text + size, &count) == 1 &&
         EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, TAG_SIZE, tag) == 1);
    EVP_CIPHER_CTX_free(cipher);
}

void forge_record(struct forge *forge, unsigned char type, struct rill_bytes content,
                  struct wire *wire)
{
    const size_t inner = content.len + 1;
    const size_t outer = inner + TAG_SIZE;
    unsigned char *const record = malloc(HEADER_SIZE + outer);

    need(record != NULL && outer <= UINT16_MAX);
    const unsigned char header[HEADER_SIZE] = {23, 3, 3, (unsigned char)(outer >> 8),
                                               (unsigned char)outer};
    memcpy(record, header, sizeof header);
    if (content.len > 0) {
        memcpy(record + HEADER_SIZE, content.ptr, content.len);
    }
    record[HEADER_SIZE + content.len] = type;
    seal(forge, header, record + HEADER_SIZE, inner, record + HEADER_SIZE + inner);
    forge->sequence++;
    wire_send(wire, record, HEADER_SIZE + outer);
    free(record);
}
