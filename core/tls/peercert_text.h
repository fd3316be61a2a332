/* SPDX-License-Identifier: MIT
 *
 * Python's words for a decoded certificate: the repr of the dict, of a name in it, and the error
 * for bytes that are no UTF-8. No OpenSSL here.
 */
#ifndef RILL__TLS_PEERCERT_TEXT_H
#define RILL__TLS_PEERCERT_TEXT_H

#include <stdbool.h>

#include <rill/tls.h>

/* Where a repr goes. With a ptr of NULL it is only measured, so that one function says how much
 * room is needed and fills it. No NUL is added. */
struct rill__pytext {
    char *ptr;
    size_t length;
};

/* repr() of getpeercert()'s dict. Strings must be UTF-8. Which characters print is Python's rule,
 * but for code points that are not assigned: Python escapes those that its own version does not
 * know, here they are printed, noncharacters and planes 4 to 13 excepted. */
void rill__pytext_peercert(struct rill__pytext *out, const struct rill_peercert *peercert);

/* repr() of a name: ((('commonName', 'localhost'),),). */
void rill__pytext_name(struct rill__pytext *out, const struct rill_cert_rdn *rdns, size_t count);

/* The name of a subjectAltName whose value is itself a name: its value is that name's repr.
 * Known by its address, because an attribute of that name may exist. */
extern const char rill__peercert_dirname[];

/* Whether Python's strict decoder takes the bytes; NULL if so, else the RILL_EVALUE with the text
 * of its UnicodeDecodeError. */
const struct rill_error *rill__utf8_error(struct rill_bytes bytes);

#endif
