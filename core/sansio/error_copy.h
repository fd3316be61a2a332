/* SPDX-License-Identifier: MIT
 *
 * Error objects with any field set: how TLS, which knows what OpenSSL says, makes its own.
 */
#ifndef RILL__ERROR_COPY_H
#define RILL__ERROR_COPY_H

#include <rill/error.h>

/* As `error` in all but its cause and list; text, partial data and a verification's message are
 * copied, `library` and `reason` are static strings. */
const struct rill_error *rill__error_copy(const struct rill_error *error);

#endif
