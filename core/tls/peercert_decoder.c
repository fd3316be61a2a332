/* SPDX-License-Identifier: MIT
 *
 * The certificate decoder's memory, its failures, texts and names.
 */
#include "tls/peercert_decoder.h"

#include <string.h>

#include "sansio/memory.h"
#include "tls/error.h"
#include "tls/peercert_text.h"

enum { CHUNK_SIZE = 2048 };

/* -- memory ----------------------------------------------------------------------------------- */

bool rill__cert_no_memory(struct rill__cert_decoder *self)
{
    self->error = rill_error_no_memory();
    return false;
}

static size_t aligned(size_t size)
{
    const size_t unit = _Alignof(max_align_t);
    return (size + unit - 1) / unit * unit;
}

void *rill__cert_take(struct rill__cert_decoder *self, size_t size)
{
    struct rill__cert_chunk *chunk = self->owner->chunks;

    size = aligned(size > 0 ? size : 1);
    if (chunk == NULL || chunk->size - chunk->used < size) {
        const size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;
        chunk = rill__alloc(sizeof *chunk + room);
        if (chunk == NULL) {
            rill__cert_no_memory(self);
            return NULL;
        }
        *chunk = (struct rill__cert_chunk){.next = self->owner->chunks, .size = room};
        self->owner->chunks = chunk;
    }
    void *const taken = (char *)chunk->space + chunk->used;
    chunk->used += size;
    return taken;
}

void *rill__cert_take_array(struct rill__cert_decoder *self, int count, size_t size)
{
    return rill__cert_take(self, count > 0 ? (size_t)count * size : 0);
}

bool rill__cert_copy_bytes(struct rill__cert_decoder *self, const void *ptr, int length,
                           struct rill_bytes *copy)
{
    const size_t size = length > 0 ? (size_t)length : 0;
    char *const space = rill__cert_take(self, size + 1);

    if (space == NULL) {
        return false;
    }
    if (size > 0) {
        memcpy(space, ptr, size);
    }
    space[size] = '\0';
    *copy = (struct rill_bytes){space, size};
    return true;
}

bool rill__cert_copy_text(struct rill__cert_decoder *self, const void *ptr, int length,
                          struct rill_bytes *copy)
{
    if (!rill__cert_copy_bytes(self, ptr, length, copy)) {
        return false;
    }
    self->error = rill__utf8_error(*copy);
    return self->error == NULL;
}

/* -- OpenSSL's failures ----------------------------------------------------------------------- */

bool rill__cert_openssl_failed(struct rill__cert_decoder *self)
{
    self->error = rill__tls_error_of_queue();
    return false;
}

bool rill__cert_overlooked(struct rill__cert_decoder *self)
{
    return !rill__tls_lacked_memory() || rill__cert_no_memory(self);
}

bool rill__cert_copy_line(struct rill__cert_decoder *self, struct rill_bytes *line)
{
    char space[RILL__CERT_LINE];

    if (!rill__cert_overlooked(self)) {
        return false;
    }
    const int length = BIO_gets(self->lines, space, sizeof space - 1);
    const bool copied = length < 0 ? rill__cert_openssl_failed(self)
                                   : rill__cert_copy_text(self, space, length, line);
    (void)BIO_reset(self->lines);
    return copied;
}

/* -- names ------------------------------------------------------------------------------------ */

static bool copy_object(struct rill__cert_decoder *self, const ASN1_OBJECT *object,
                        const char **name)
{
    const int length = OBJ_obj2txt(NULL, 0, object, 0);
    if (length < 0) {
        return rill__cert_openssl_failed(self);
    }
    char *const space = rill__cert_take(self, (size_t)length + 1);
    if (space == NULL) {
        return false;
    }
    if (OBJ_obj2txt(space, length + 1, object, 0) < 0) {
        return rill__cert_openssl_failed(self);
    }
    *name = space;
    self->error = rill__utf8_error(rill_bytes_of(space));
    return self->error == NULL;
}

/* The value; Python 3.10 and later show a BIT STRING (X500UniqueIdentifier) as bytes. */
static bool copy_value(struct rill__cert_decoder *self, const ASN1_STRING *value,
                       struct rill_cert_field *field)
{
    unsigned char *text = NULL;

    field->is_bytes = ASN1_STRING_type(value) == V_ASN1_BIT_STRING;
    if (field->is_bytes) {
        return rill__cert_copy_bytes(self, ASN1_STRING_get0_data(value), ASN1_STRING_length(value),
                                     &field->value);
    }
    const int length = ASN1_STRING_to_UTF8(&text, value);
    if (length < 0) {
        return rill__cert_openssl_failed(self);
    }
    const bool copied = rill__cert_copy_text(self, text, length, &field->value);
    OPENSSL_free(text);
    return copied;
}

/* OpenSSL's list of attributes is flat; each says which RDN it belongs to. */
bool rill__cert_copy_name(struct rill__cert_decoder *self, const X509_NAME *name,
                          const struct rill_cert_rdn **copied, size_t *count)
{
    const int attributes = X509_NAME_entry_count(name);
    struct rill_cert_field *const fields = rill__cert_take_array(self, attributes, sizeof *fields);
    struct rill_cert_rdn *const rdns = rill__cert_take_array(self, attributes, sizeof *rdns);
    size_t found = 0;
    int set = -1;

    if (fields == NULL || rdns == NULL) {
        return false;
    }
    for (int i = 0; i < attributes; i++) {
        const X509_NAME_ENTRY *entry = X509_NAME_get_entry(name, i);
        if (X509_NAME_ENTRY_set(entry) != set) {
            set = X509_NAME_ENTRY_set(entry);
            rdns[found++] = (struct rill_cert_rdn){.fields = &fields[i]};
        }
        if (!copy_object(self, X509_NAME_ENTRY_get_object(entry), &fields[i].name) ||
            !copy_value(self, X509_NAME_ENTRY_get_data(entry), &fields[i])) {
            return false;
        }
        rdns[found - 1].count++;
    }
    *copied = rdns;
    *count = found;
    return true;
}
