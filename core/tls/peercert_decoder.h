/* SPDX-License-Identifier: MIT
 *
 * What the parts of the certificate's decoding share: the memory of what is decoded, the one
 * failure, and the pieces that occur more than once. A function that answers false or NULL has set
 * the decoder's error.
 */
#ifndef RILL__TLS_PEERCERT_DECODER_H
#define RILL__TLS_PEERCERT_DECODER_H

#include <stdbool.h>
#include <stddef.h>

#include <openssl/x509v3.h>

#include <rill/tls.h>

enum { RILL__CERT_LINE = 2048 }; /* how much Python lets OpenSSL print */

struct rill__cert_chunk {
    struct rill__cert_chunk *next;
    size_t used;
    size_t size;
    max_align_t space[];
};

/* Everything lives in chunks that hang on the structure, so that whatever fails on the way, freeing
 * is one loop. What is handed out is the first member. */
struct rill__cert_owner {
    struct rill_peercert cert;
    struct rill__cert_chunk *chunks;
};

struct rill__cert_decoder {
    struct rill__cert_owner *owner;
    BIO *lines;                     /* where OpenSSL prints */
    const struct rill_error *error; /* the caller's reference */
};

bool rill__cert_no_memory(struct rill__cert_decoder *self);

/* Fails with what OpenSSL's error queue says. */
bool rill__cert_openssl_failed(struct rill__cert_decoder *self);

/* After a call whose failure Python overlooks: false only for a lack of memory, because without it
 * a name that is there would be missing. */
bool rill__cert_overlooked(struct rill__cert_decoder *self);

/* Never NULL for a size of 0: an empty tuple is not an absent one. */
void *rill__cert_take(struct rill__cert_decoder *self, size_t size);
void *rill__cert_take_array(struct rill__cert_decoder *self, int count, size_t size);

/* With a NUL after them; a text must be UTF-8. */
bool rill__cert_copy_bytes(struct rill__cert_decoder *self, const void *ptr, int length,
                           struct rill_bytes *copy);
bool rill__cert_copy_text(struct rill__cert_decoder *self, const void *ptr, int length,
                          struct rill_bytes *copy);

/* What was printed to `lines`, as far as Python takes it: the first line with its newline (a serial
 * number beyond 35 bytes is broken into several), at most 2046 bytes. The rest is dropped. */
bool rill__cert_copy_line(struct rill__cert_decoder *self, struct rill_bytes *line);

bool rill__cert_copy_name(struct rill__cert_decoder *self, const X509_NAME *name,
                          const struct rill_cert_rdn **copied, size_t *count);

/* The extensions, into the owner's structure. One that is not there, there twice, or that OpenSSL
 * cannot parse is no failure. */
bool rill__cert_copy_alternatives(struct rill__cert_decoder *self, const X509 *certificate);
bool rill__cert_copy_access(struct rill__cert_decoder *self, const X509 *certificate, int method,
                            struct rill_cert_list *list);
bool rill__cert_copy_crl_points(struct rill__cert_decoder *self, const X509 *certificate);

#endif
