/* SPDX-License-Identifier: MIT
 *
 * What target `context` gives to a context as text or as a file, made of a program's bytes.
 */
#ifndef FUZZ_TLS_CONTEXT_FILES_H
#define FUZZ_TLS_CONTEXT_FILES_H

#include "program.h"
#include "tls/context.h"

/* The keys that are no file of the project's. Once, after OpenSSL's randomness is repeatable. */
void context_files_init(void);

/* Ends at a NUL of the input's; the caller frees. */
char *take_text(struct program *program, size_t size);

/* The calls that read, judged. */
void trust(struct rill_ssl_context *context, struct program *program);
void load_chain(struct rill_ssl_context *context, struct program *program);
/* The refusals that need no file. */
void give_nothing(struct rill_ssl_context *context);

#endif
