/* SPDX-License-Identifier: MIT
 *
 * The error objects of TLS. Made where OpenSSL is known; what they are is everybody's.
 */
#ifndef RILL__ERROR_TLS_H
#define RILL__ERROR_TLS_H

#include <rill/error.h>

/* What Python keeps on an SSLError besides its text and errno. */
struct rill__tls_detail {
    const char *library; /* static strings, or NULL */
    const char *reason;
    int verify_code;            /* 0: not a failed verification */
    const char *verify_message; /* copied; NULL: none */
};

/* As rill_error_new; the text is copied as it stands. */
const struct rill_error *rill__error_tls(int code, int os_errno, const char *text,
                                         const struct rill__tls_detail *detail);

#endif
