/* SPDX-License-Identifier: MIT
 *
 * Names of exception classes and of errno values, both ways. Class names are the library's own
 * (rill_error_name); a class that it has no code for is the application's own.
 */
#ifndef TESTEE_NAMES_H
#define TESTEE_NAMES_H

#include "replay.h"

/* The asyncio class of a code. */
const char *class_of_code(int code);

/* The code of an asyncio class; the application's own for a class that rill does not have. */
int code_of_class(const char *name);

enum { ERRNO_NAME_SIZE = 24 };

/* `ECONNRESET`, `EAI_SERVICE`: what an error has in os_errno; the number where there is no name.
 * `memory` may hold the answer. */
const char *name_of_errno(const struct rill_error *error, char memory[ERRNO_NAME_SIZE]);

/* The errno of a name; 0: none. */
int errno_of_name(const char *name);

/* getaddrinfo's code of a name. */
int gai_of_name(const char *name);

#endif
