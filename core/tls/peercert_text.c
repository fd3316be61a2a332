/* SPDX-License-Identifier: MIT
 *
 * Python's repr of a decoded certificate, and its UTF-8 decoder's judgement.
 */
#include "tls/peercert_text.h"

#include <stdio.h>
#include <string.h>

const char rill__peercert_dirname[] = "DirName";

/* -- UTF-8 ------------------------------------------------------------------------------------ */

struct character {
    size_t length;     /* bytes of it, or of what is wrong */
    unsigned point;    /* the code point */
    const char *wrong; /* Python's reason; NULL: none */
};

/* Overlong forms, surrogates and what lies beyond U+10FFFF show in the second byte, whose range
 * depends on the first. */
static bool continues(unsigned char lead, size_t index, unsigned char byte)
{
    const unsigned char lowest = index > 1      ? 0x80
                                 : lead == 0xe0 ? 0xa0
                                 : lead == 0xf0 ? 0x90
                                                : 0x80;
    const unsigned char highest = index > 1      ? 0xbf
                                  : lead == 0xed ? 0x9f
                                  : lead == 0xf4 ? 0x8f
                                                 : 0xbf;
    return byte >= lowest && byte <= highest;
}

/* The character that begins at `at`, where `room` > 0 bytes are left. */
static struct character decode(const unsigned char *at, size_t room)
{
    const unsigned char lead = at[0];
    if (lead < 0x80) {
        return (struct character){.length = 1, .point = lead};
    }
    if (lead < 0xc2 || lead > 0xf4) {
        return (struct character){.length = 1, .wrong = "invalid start byte"};
    }
    const size_t length = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
    unsigned point = lead & (0xffU >> (length + 1));
    for (size_t i = 1; i < length; i++) {
        if (i == room) {
            return (struct character){.length = i, .wrong = "unexpected end of data"};
        }
        if (!continues(lead, i, at[i])) {
            return (struct character){.length = i, .wrong = "invalid continuation byte"};
        }
        point = point << 6 | (at[i] & 0x3fU);
    }
    return (struct character){.length = length, .point = point};
}

const struct rill_error *rill__utf8_error(struct rill_bytes bytes)
{
    for (size_t i = 0; i < bytes.len;) {
        const unsigned char *at = (const unsigned char *)bytes.ptr + i;
        const struct character c = decode(at, bytes.len - i);
        if (c.wrong != NULL && c.length == 1) {
            return rill_error_new(RILL_EVALUE,
                                  "'utf-8' codec can't decode byte 0x%02x in position %zu: %s", *at,
                                  i, c.wrong);
        }
        if (c.wrong != NULL) {
            return rill_error_new(RILL_EVALUE,
                                  "'utf-8' codec can't decode bytes in position %zu-%zu: %s", i,
                                  i + c.length - 1, c.wrong);
        }
        i += c.length;
    }
    return NULL;
}

/* -- which characters print ------------------------------------------------------------------- */

struct range {
    unsigned first;
    unsigned last;
};

/* Python escapes the categories Cc, Cf, Cs, Co, Zl, Zp, and Zs but for the space. Unassigned ones
 * (Cn) are here only where no version of Unicode will assign them soon. Above ASCII, sorted. */
static const struct range not_printed[] = {
    {0x7f, 0xa0},        {0xad, 0xad},       {0x600, 0x605},     {0x61c, 0x61c},
    {0x6dd, 0x6dd},      {0x70f, 0x70f},     {0x890, 0x891},     {0x8e2, 0x8e2},
    {0x1680, 0x1680},    {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},
    {0x205f, 0x206f},    {0x3000, 0x3000},   {0xd800, 0xf8ff},   {0xfdd0, 0xfdef},
    {0xfeff, 0xfeff},    {0xfff0, 0xfffb},   {0x110bd, 0x110bd}, {0x110cd, 0x110cd},
    {0x13430, 0x1343f},  {0x1bca0, 0x1bca3}, {0x1d173, 0x1d17a}, {0x40000, 0xe00ff},
    {0xe01f0, 0x10ffff},
};

static bool prints(unsigned point)
{
    if (point < 0x7f) {
        return point >= 0x20;
    }
    for (size_t i = 0; i < sizeof not_printed / sizeof *not_printed; i++) {
        if (point <= not_printed[i].last) {
            return point < not_printed[i].first && (point & 0xfffe) != 0xfffe;
        }
    }
    return false;
}

/* -- reprs ------------------------------------------------------------------------------------ */

static void put_raw(struct rill__pytext *out, const char *ptr, size_t length)
{
    if (out->ptr != NULL) {
        memcpy(out->ptr + out->length, ptr, length);
    }
    out->length += length;
}

static void put(struct rill__pytext *out, const char *text)
{
    put_raw(out, text, strlen(text));
}

static void put_escape(struct rill__pytext *out, unsigned point)
{
    static const char escaped[] = "\t\n\r";
    static const char letters[] = "tnr";
    const char letter = point <= 0xff ? 'x' : point <= 0xffff ? 'u' : 'U';
    const int digits = point <= 0xff ? 2 : point <= 0xffff ? 4 : 8;
    const char *const found = point > 0 && point < 0x20 ? strchr(escaped, (int)point) : NULL;
    char space[16];

    if (found != NULL) {
        snprintf(space, sizeof space, "\\%c", letters[found - escaped]);
    } else {
        snprintf(space, sizeof space, "\\%c%0*x", letter, digits, point);
    }
    put(out, space);
}

/* Python quotes with ' unless there is a ' and no ". */
static char quote_of(struct rill_bytes text)
{
    const bool has_single = text.len > 0 && memchr(text.ptr, '\'', text.len) != NULL;
    const bool has_double = text.len > 0 && memchr(text.ptr, '"', text.len) != NULL;
    return has_single && !has_double ? '"' : '\'';
}

static void put_character(struct rill__pytext *out, const char *at, struct character c, char quote)
{
    if (c.point == '\\' || c.point == (unsigned char)quote) {
        put(out, "\\");
    }
    if (prints(c.point)) {
        put_raw(out, at, c.length);
    } else {
        put_escape(out, c.point);
    }
}

static void put_str(struct rill__pytext *out, struct rill_bytes text)
{
    const char quote = quote_of(text);

    put_raw(out, &quote, 1);
    for (size_t i = 0; i < text.len;) {
        const char *at = text.ptr + i;
        const struct character c = decode((const unsigned char *)at, text.len - i);
        put_character(out, at, c, quote);
        i += c.length;
    }
    put_raw(out, &quote, 1);
}

static void put_bytes_repr(struct rill__pytext *out, struct rill_bytes bytes)
{
    const char quote = quote_of(bytes);

    put(out, "b");
    put_raw(out, &quote, 1);
    for (size_t i = 0; i < bytes.len; i++) {
        const unsigned char byte = (unsigned char)bytes.ptr[i];
        if (byte < 0x80) {
            put_character(out, &bytes.ptr[i], (struct character){1, byte, NULL}, quote);
        } else {
            put_escape(out, byte);
        }
    }
    put_raw(out, &quote, 1);
}

/* What stands before a tuple's item, and what ends a tuple of so many. */
static const char *before(size_t index)
{
    return index == 0 ? "(" : ", ";
}

static const char *end_of(size_t count)
{
    return count == 0 ? "()" : count == 1 ? ",)" : ")";
}

static void put_field(struct rill__pytext *out, const struct rill_cert_field *field)
{
    put(out, "(");
    put_str(out, rill_bytes_of(field->name));
    put(out, ", ");
    if (field->name == rill__peercert_dirname) {
        put_raw(out, field->value.ptr, field->value.len);
    } else if (field->is_bytes) {
        put_bytes_repr(out, field->value);
    } else {
        put_str(out, field->value);
    }
    put(out, ")");
}

static void put_fields(struct rill__pytext *out, const struct rill_cert_field *fields, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(out, before(i));
        put_field(out, &fields[i]);
    }
    put(out, end_of(count));
}

void rill__pytext_name(struct rill__pytext *out, const struct rill_cert_rdn *rdns, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        put(out, before(i));
        put_fields(out, rdns[i].fields, rdns[i].count);
    }
    put(out, end_of(count));
}

static void put_list(struct rill__pytext *out, const char *key, const struct rill_cert_list *list)
{
    if (list->count == 0) {
        return;
    }
    put(out, key);
    for (size_t i = 0; i < list->count; i++) {
        put(out, before(i));
        put_str(out, list->items[i]);
    }
    put(out, end_of(list->count));
}

void rill__pytext_peercert(struct rill__pytext *out, const struct rill_peercert *peercert)
{
    char version[32];

    if (!peercert->verified) {
        put(out, "{}");
        return;
    }
    put(out, "{'subject': ");
    rill__pytext_name(out, peercert->subject, peercert->subject_count);
    put(out, ", 'issuer': ");
    rill__pytext_name(out, peercert->issuer, peercert->issuer_count);
    snprintf(version, sizeof version, ", 'version': %d", peercert->version);
    put(out, version);
    put(out, ", 'serialNumber': ");
    put_str(out, rill_bytes_of(peercert->serial_number));
    put(out, ", 'notBefore': ");
    put_str(out, rill_bytes_of(peercert->not_before));
    put(out, ", 'notAfter': ");
    put_str(out, rill_bytes_of(peercert->not_after));
    if (peercert->subject_alt_name != NULL) {
        put(out, ", 'subjectAltName': ");
        put_fields(out, peercert->subject_alt_name, peercert->subject_alt_name_count);
    }
    put_list(out, ", 'OCSP': ", &peercert->ocsp);
    put_list(out, ", 'caIssuers': ", &peercert->ca_issuers);
    put_list(out, ", 'crlDistributionPoints': ", &peercert->crl_distribution_points);
    put(out, "}");
}
