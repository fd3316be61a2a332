/* SPDX-License-Identifier: MIT
 *
 * The names of OpenSSL's libraries and reasons as Python's ssl shows them: `SSL` and
 * `WRONG_VERSION_NUMBER` in `[SSL: WRONG_VERSION_NUMBER]`.
 */
#ifndef RILL__TLS_REASON_H
#define RILL__TLS_REASON_H

/* Of a code from OpenSSL's error queue; NULL where there is no name. Static strings. */
const char *rill__tls_library_name(unsigned long code);
const char *rill__tls_reason_name(unsigned long code);

#endif
