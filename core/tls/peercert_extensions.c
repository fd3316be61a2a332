/* SPDX-License-Identifier: MIT
 *
 * The extensions that Python shows: the subject's alternative names, and where to ask about the
 * certificate.
 */
#include "tls/peercert_decoder.h"

#include <stdio.h>
#include <string.h>

#include "tls/peercert_text.h"

/* -- subjectAltName --------------------------------------------------------------------------- */

static bool copy_string(struct rill__cert_decoder *self, const char *name, const ASN1_STRING *value,
                        struct rill_cert_field *field)
{
    field->name = name;
    return rill__cert_copy_text(self, ASN1_STRING_get0_data(value), ASN1_STRING_length(value),
                                &field->value);
}

/* A structure of its own for the one kind that nests would cost every user more than it gives: the
 * value is the name's repr. */
static bool copy_directory_name(struct rill__cert_decoder *self, const X509_NAME *name,
                                struct rill_cert_field *field)
{
    const struct rill_cert_rdn *rdns = NULL;
    size_t count = 0;
    struct rill__pytext text = {NULL, 0};

    if (!rill__cert_copy_name(self, name, &rdns, &count)) {
        return false;
    }
    rill__pytext_name(&text, rdns, count);
    text.ptr = rill__cert_take(self, text.length);
    if (text.ptr == NULL) {
        return false;
    }
    text.length = 0;
    rill__pytext_name(&text, rdns, count);
    field->name = rill__peercert_dirname;
    field->value = (struct rill_bytes){text.ptr, text.length};
    return true;
}

/* The sizes are Python's, for what it makes of long ones. */
static bool copy_registered_id(struct rill__cert_decoder *self, const ASN1_OBJECT *id,
                               struct rill_cert_field *field)
{
    char space[RILL__CERT_LINE];
    const int length = i2t_ASN1_OBJECT(space, sizeof space - 1, id);

    field->name = "Registered ID";
    if (length < 0) {
        return rill__cert_openssl_failed(self);
    }
    if (length >= RILL__CERT_LINE) {
        field->value = rill_bytes_of("<INVALID>");
        return true;
    }
    return rill__cert_copy_text(self, space, length, &field->value);
}

/* Python's own format: IPv6 in capitals, its zeros not shortened. */
static bool copy_address(struct rill__cert_decoder *self, const ASN1_OCTET_STRING *address,
                         struct rill_cert_field *field)
{
    const unsigned char *const p = ASN1_STRING_get0_data(address);
    const int size = ASN1_STRING_length(address);
    char space[sizeof "FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF:FFFF"] = "<invalid>";
    size_t used = 0;

    field->name = "IP Address";
    for (int i = 0; i < size && size == 4; i++) {
        used += (size_t)snprintf(space + used, sizeof space - used, i == 0 ? "%u" : ".%u", p[i]);
    }
    for (int i = 0; i < size && size == 16; i += 2) {
        used += (size_t)snprintf(space + used, sizeof space - used, i == 0 ? "%X" : ":%X",
                                 (unsigned)p[i] << 8 | p[i + 1]);
    }
    return rill__cert_copy_text(self, space, (int)strlen(space), &field->value);
}

/* othername, X400Name and EdiPartyName: OpenSSL's print form, up to the colon and after it. */
static bool copy_printed(struct rill__cert_decoder *self, GENERAL_NAME *name,
                         struct rill_cert_field *field)
{
    struct rill_bytes line = {NULL, 0};

    GENERAL_NAME_print(self->lines, name);
    if (!rill__cert_copy_line(self, &line)) {
        return false;
    }
    char *const space = rill__cert_take(self, line.len + 1);
    if (space == NULL) {
        return false;
    }
    memcpy(space, line.ptr, line.len + 1);
    char *const colon = strchr(space, ':');
    if (colon == NULL) {
        self->error = rill_error_new(RILL_EVALUE, "Invalid value %.200s", space);
        return false;
    }
    *colon = '\0';
    field->name = space;
    field->value = (struct rill_bytes){colon + 1, line.len - (size_t)(colon + 1 - space)};
    return true;
}

static bool copy_alternative(struct rill__cert_decoder *self, GENERAL_NAME *name,
                             struct rill_cert_field *field)
{
    field->is_bytes = false;
    switch (name->type) {
    case GEN_EMAIL:
        return copy_string(self, "email", name->d.rfc822Name, field);
    case GEN_DNS:
        return copy_string(self, "DNS", name->d.dNSName, field);
    case GEN_URI:
        return copy_string(self, "URI", name->d.uniformResourceIdentifier, field);
    case GEN_DIRNAME:
        return copy_directory_name(self, name->d.directoryName, field);
    case GEN_RID:
        return copy_registered_id(self, name->d.registeredID, field);
    case GEN_IPADD:
        return copy_address(self, name->d.iPAddress, field);
    default:
        return copy_printed(self, name, field);
    }
}

/* Empty, Python shows (); absent, no key. */
bool rill__cert_copy_alternatives(struct rill__cert_decoder *self, const X509 *certificate)
{
    struct rill_peercert *const cert = &self->owner->cert;
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    if (names == NULL) {
        return rill__cert_overlooked(self);
    }
    const int count = sk_GENERAL_NAME_num(names);
    struct rill_cert_field *const fields = rill__cert_take_array(self, count, sizeof *fields);
    bool ok = fields != NULL;
    for (int i = 0; ok && i < count; i++) {
        ok = copy_alternative(self, sk_GENERAL_NAME_value(names, i), &fields[i]);
    }
    GENERAL_NAMES_free(names);
    cert->subject_alt_name = fields;
    cert->subject_alt_name_count = (size_t)count;
    return ok;
}

/* -- lists of addresses ----------------------------------------------------------------------- */

/* Appends the name to the list, which has room, if it is a URI. */
static bool copy_uri(struct rill__cert_decoder *self, const GENERAL_NAME *name,
                     struct rill_bytes *items, struct rill_cert_list *list)
{
    if (name->type != GEN_URI) {
        return true;
    }
    const ASN1_STRING *const uri = name->d.uniformResourceIdentifier;
    list->items = items;
    return rill__cert_copy_text(self, ASN1_STRING_get0_data(uri), ASN1_STRING_length(uri),
                                &items[list->count++]);
}

bool rill__cert_copy_access(struct rill__cert_decoder *self, const X509 *certificate, int method,
                            struct rill_cert_list *list)
{
    AUTHORITY_INFO_ACCESS *access = X509_get_ext_d2i(certificate, NID_info_access, NULL, NULL);
    if (access == NULL) {
        return rill__cert_overlooked(self);
    }
    const int count = sk_ACCESS_DESCRIPTION_num(access);
    struct rill_bytes *const items = rill__cert_take_array(self, count, sizeof *items);
    bool ok = items != NULL;
    for (int i = 0; ok && i < count; i++) {
        const ACCESS_DESCRIPTION *const entry = sk_ACCESS_DESCRIPTION_value(access, i);
        if (OBJ_obj2nid(entry->method) == method) {
            ok = copy_uri(self, entry->location, items, list);
        }
    }
    AUTHORITY_INFO_ACCESS_free(access);
    return ok;
}

/* The names of a point, NULL if it has none: it may be empty, or relative to the issuer's name
 * (which CPython misreads as a list of names). */
static const GENERAL_NAMES *names_of(const DIST_POINT *point)
{
    const DIST_POINT_NAME *const name = point->distpoint;
    return name != NULL && name->type == 0 ? name->name.fullname : NULL;
}

static bool copy_points(struct rill__cert_decoder *self, const CRL_DIST_POINTS *points)
{
    struct rill_cert_list *const list = &self->owner->cert.crl_distribution_points;
    int room = 0;

    for (int i = 0; i < sk_DIST_POINT_num(points); i++) {
        const GENERAL_NAMES *const names = names_of(sk_DIST_POINT_value(points, i));
        room += names != NULL ? sk_GENERAL_NAME_num(names) : 0;
    }
    struct rill_bytes *const items = rill__cert_take_array(self, room, sizeof *items);
    bool ok = items != NULL;
    for (int i = 0; ok && i < sk_DIST_POINT_num(points); i++) {
        const GENERAL_NAMES *const names = names_of(sk_DIST_POINT_value(points, i));
        for (int j = 0; ok && names != NULL && j < sk_GENERAL_NAME_num(names); j++) {
            ok = copy_uri(self, sk_GENERAL_NAME_value(names, j), items, list);
        }
    }
    return ok;
}

bool rill__cert_copy_crl_points(struct rill__cert_decoder *self, const X509 *certificate)
{
    CRL_DIST_POINTS *points =
        X509_get_ext_d2i(certificate, NID_crl_distribution_points, NULL, NULL);
    if (points == NULL) {
        return rill__cert_overlooked(self);
    }
    const bool ok = copy_points(self, points);
    CRL_DIST_POINTS_free(points);
    return ok;
}
