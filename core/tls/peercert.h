/* SPDX-License-Identifier: MIT
 *
 * A certificate as Python's getpeercert() shows it: X509 in, struct rill_peercert out.
 */
#ifndef RILL__TLS_PEERCERT_H
#define RILL__TLS_PEERCERT_H

#include <stdbool.h>

#include <openssl/x509.h>

#include <rill/tls.h>

/* Everything is copied: the certificate may go. Not verified: only `der` and `text`, "{}".
 * NULL: *error is the caller's reference, and one of
 * - RILL_ENOMEM, OpenSSL's memory included: a name that is there is never left out for want of it;
 * - RILL_EVALUE: a text is no UTF-8, with the text of Python's UnicodeDecodeError;
 * - RILL_ESSL: OpenSSL cannot convert a name's value.
 * An extension that OpenSSL cannot parse, or that is there twice, is left out, as Python leaves it
 * out. The error queue of the thread is empty at return. */
struct rill_peercert *rill__peercert_new(X509 *certificate, bool verified,
                                         const struct rill_error **error);
void rill__peercert_free(struct rill_peercert *peercert); /* NULL is fine */

#endif
