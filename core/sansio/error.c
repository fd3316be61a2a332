/* SPDX-License-Identifier: MIT
 *
 * Error objects: one allocation holds the object, its text and its bytes; the count stands beside
 * them (rules ).
 */
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <rill/error.h>

#include "sansio/error_copy.h"
#include "sansio/memory.h"

/* The public object comes first, so that a pointer to one is a pointer to the other. The count is
 * atomic because a resolver's thread may drop an error that a loop still shows. */
struct counted {
    struct rill_error error;
    atomic_uint references;
    char storage[]; /* partial's bytes, then the text and its NUL, then verify_message and its */
};

/* What is returned when an error cannot be allocated. It is never counted and never freed. */
static const struct rill_error out_of_memory = {
    .code = RILL_ENOMEM,
    .text = "",
    .expected = -1,
};

/* A CancelledError has nothing to say, so there is one for all. */
static const struct rill_error cancelled = {
    .code = RILL_ECANCELLED,
    .text = "",
    .expected = -1,
};

static bool is_constant(const struct rill_error *error)
{
    return error == &out_of_memory || error == &cancelled;
}

/* Objects are handed out const, and all but the constant ones were made non-const here. */
static struct counted *counted_of(const struct rill_error *error)
{
    return (struct counted *)(uintptr_t)error;
}

/* An error with room for the bytes of `partial`, copied, and `text_size` of text, which the caller
 * fills. */
static struct counted *allocate(int code, struct rill_bytes partial, size_t text_size)
{
    if (partial.len > SIZE_MAX / 2) { /* text is shorter than an int can say */
        return NULL;
    }
    struct counted *made = rill__alloc(sizeof *made + partial.len + text_size);
    if (made == NULL) {
        return NULL;
    }
    char *text = made->storage + partial.len;
    *text = '\0';
    made->error = (struct rill_error){.code = code < 0 ? code : RILL_EUSER,
                                      .text = text,
                                      .partial = {made->storage, partial.len},
                                      .expected = -1};
    if (partial.len > 0) {
        memcpy(made->storage, partial.ptr, partial.len);
    }
    atomic_init(&made->references, 1);
    return made;
}

static char *text_of(struct counted *made)
{
    return made->storage + made->error.partial.len;
}

/* NULL without memory. `prefix` is put before what the format makes. */
static struct counted *allocate_formatted(int code, struct rill_bytes partial, const char *prefix,
                                          const char *format, va_list arguments)
    __attribute__((format(printf, 4, 0)));

static struct counted *allocate_formatted(int code, struct rill_bytes partial, const char *prefix,
                                          const char *format, va_list arguments)
{
    va_list again;
    va_copy(again, arguments);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    /* A format that cannot be printed (a bad multibyte string) leaves an empty text rather than no
     * error. */
    size_t size = length < 0 ? 1 : (size_t)length + 1;
    size_t prefix_length = strlen(prefix);

    struct counted *made = allocate(code, partial, prefix_length + size);
    if (made == NULL) {
        return NULL;
    }
    char *text = text_of(made);
    memcpy(text, prefix, prefix_length + 1);
    if (length >= 0) {
        vsnprintf(text + prefix_length, size, format, arguments);
    }
    return made;
}

static const struct rill_error *or_constant(struct counted *made)
{
    return made != NULL ? &made->error : &out_of_memory;
}

const struct rill_error *rill_error_new(int code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct counted *made =
        allocate_formatted(code, (struct rill_bytes){NULL, 0}, "", format, arguments);
    va_end(arguments);
    return or_constant(made);
}

/* `[Errno N] `; room for any int. */
enum { ERRNO_PREFIX_SIZE = 32 };

const struct rill_error *rill_error_from_errno_text(int os_errno, const char *format, ...)
{
    char prefix[ERRNO_PREFIX_SIZE] = "";
    if (os_errno != 0) {
        snprintf(prefix, sizeof prefix, "[Errno %d] ", os_errno);
    }
    va_list arguments;
    va_start(arguments, format);
    struct counted *made =
        allocate_formatted(rill_error_code_of_errno(os_errno), (struct rill_bytes){NULL, 0}, prefix,
                           format, arguments);
    va_end(arguments);
    if (made != NULL) {
        made->error.os_errno = os_errno;
    }
    return or_constant(made);
}

const struct rill_error *rill_error_from_errno(int os_errno)
{
    return rill_error_from_errno_text(os_errno, "%s", strerror(os_errno));
}

const struct rill_error *rill_error_from_gai(int status, const char *text)
{
    const struct rill_error *error = rill_error_from_errno_text(status, "%s", text);
    if (!is_constant(error)) {
        counted_of(error)->error.code = RILL_EGAI;
    }
    return error;
}

const struct rill_error *rill_error_no_memory(void)
{
    return &out_of_memory;
}

const struct rill_error *rill_error_cancelled(void)
{
    return &cancelled;
}

/* allocate_formatted with its arguments spelled out. */
static struct counted *allocate_text(int code, struct rill_bytes partial, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static struct counted *allocate_text(int code, struct rill_bytes partial, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    struct counted *made = allocate_formatted(code, partial, "", format, arguments);
    va_end(arguments);
    return made;
}

const struct rill_error *rill_error_incomplete(struct rill_bytes partial, long long expected)
{
    struct counted *made;
    if (expected < 0) {
        made = allocate_text(RILL_EINCOMPLETE, partial,
                             "%zu bytes read on a total of undefined expected bytes", partial.len);
    } else {
        made = allocate_text(RILL_EINCOMPLETE, partial,
                             "%zu bytes read on a total of %lld expected bytes", partial.len,
                             expected);
    }
    if (made != NULL) {
        made->error.expected = expected < 0 ? -1 : expected;
    }
    return or_constant(made);
}

const struct rill_error *rill_error_limit(size_t consumed, const char *text)
{
    struct counted *made = allocate_text(RILL_ELIMIT, (struct rill_bytes){NULL, 0}, "%s", text);
    if (made != NULL) {
        made->error.consumed = consumed;
    }
    return or_constant(made);
}

/* A copy with everything but the cause and the list; a verification's message is behind the text.
 */
static struct counted *copy_of(const struct rill_error *error)
{
    const char *const message = error->verify_message;
    const size_t text_size = strlen(error->text) + 1;
    const size_t message_size = message != NULL ? strlen(message) + 1 : 0;
    struct counted *made = allocate(error->code, error->partial, text_size + message_size);
    if (made == NULL) {
        return NULL;
    }
    char *const text = text_of(made);
    memcpy(text, error->text, text_size);
    if (message != NULL) {
        made->error.verify_message = memcpy(text + text_size, message, message_size);
    }
    made->error.os_errno = error->os_errno;
    made->error.expected = error->expected;
    made->error.consumed = error->consumed;
    made->error.library = error->library;
    made->error.reason = error->reason;
    made->error.verify_code = error->verify_code;
    return made;
}

const struct rill_error *rill__error_copy(const struct rill_error *error)
{
    return or_constant(copy_of(error));
}

const struct rill_error *rill_error_with_cause(const struct rill_error *error,
                                               const struct rill_error *cause)
{
    if (error == &out_of_memory || error->cause == cause) {
        return error;
    }
    struct counted *made = counted_of(error);
    /* An error that somebody else holds must not change under them. */
    if (is_constant(error) || atomic_load(&made->references) > 1) {
        made = copy_of(error);
        if (made == NULL) {
            rill_error_unref(error);
            return &out_of_memory;
        }
        const struct rill_error *whole =
            rill_error_with_list(&made->error, error->list, error->list_count);
        rill_error_unref(error);
        if (whole == &out_of_memory) {
            return whole;
        }
    }
    const struct rill_error *before = made->error.cause;
    made->error.cause = rill_error_ref(cause);
    rill_error_unref(before);
    return &made->error;
}

/* The array is made and freed here; the public object shows it const. */
static const struct rill_error **list_of(const struct rill_error *error)
{
    return (const struct rill_error **)(uintptr_t)error->list;
}

const struct rill_error *rill_error_with_list(const struct rill_error *error,
                                              const struct rill_error *const *list, size_t count)
{
    if (is_constant(error) || count == 0) {
        return error;
    }
    struct counted *made = counted_of(error);
    const struct rill_error **copy = rill__alloc(count * sizeof copy[0]);
    rill_assert(made->error.list_count == 0 && atomic_load(&made->references) == 1);
    if (copy == NULL) {
        rill_error_unref(error);
        return &out_of_memory;
    }
    for (size_t i = 0; i < count; i++) {
        copy[i] = rill_error_ref(list[i]);
    }
    made->error.list = copy;
    made->error.list_count = count;
    return error;
}

const struct rill_error *rill_error_group(const char *text, const struct rill_error *const *list,
                                          size_t count)
{
    const struct rill_error *error =
        rill_error_new(RILL_EGROUP, "%s (%zu sub-exception%s)", text, count, count == 1 ? "" : "s");
    return rill_error_with_list(error, list, count);
}

const struct rill_error *rill_error_ref(const struct rill_error *error)
{
    if (error != NULL && !is_constant(error)) {
        atomic_fetch_add_explicit(&counted_of(error)->references, 1, memory_order_relaxed);
    }
    return error;
}

/* A loop along the causes, not a recursion: such a chain may be long. A list is never deep. */
void rill_error_unref(const struct rill_error *error)
{
    while (error != NULL && !is_constant(error)) {
        struct counted *made = counted_of(error);
        if (atomic_fetch_sub_explicit(&made->references, 1, memory_order_acq_rel) > 1) {
            return;
        }
        for (size_t i = 0; i < error->list_count; i++) {
            rill_error_unref(error->list[i]);
        }
        rill__free(list_of(error));
        error = made->error.cause;
        rill__free(made);
    }
}
