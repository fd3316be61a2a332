/* SPDX-License-Identifier: MIT
 *
 * Names of exception classes and of errno values.
 */
#include "names.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

enum {
    LOWEST_CODE = -99, /* codes of the library lie above */
    HIGHEST_ERRNO = 133,
};

/* Python's classes that a script may raise and that rill has no code for. */
static const char *const own_classes[] = {"Exception",         "KeyError",  "LookupError",
                                          "AttributeError",    "EOFError",  "ArithmeticError",
                                          "ZeroDivisionError", "NameError", "UnicodeError"};
enum { OWN_CLASS_COUNT = sizeof own_classes / sizeof own_classes[0] };

const char *class_of_code(int code)
{
    if (code <= RILL_EUSER && code > RILL_EUSER - OWN_CLASS_COUNT) {
        return own_classes[RILL_EUSER - code];
    }
    return rill_error_name(code);
}

int code_of_class(const char *name)
{
    for (int code = -1; code >= LOWEST_CODE; code--) {
        if (strcmp(rill_error_name(code), name) == 0 && strcmp(name, own_classes[0]) != 0) {
            return code;
        }
    }
    for (int i = 0; i < OWN_CLASS_COUNT; i++) {
        if (strcmp(own_classes[i], name) == 0) {
            return RILL_EUSER - i;
        }
    }
    return RILL_EUSER;
}

/* getaddrinfo's codes, which are no errno values. */
static const struct gai_name {
    int status;
    const char *name;
} gai_names[] = {
    {EAI_AGAIN, "EAI_AGAIN"},   {EAI_BADFLAGS, "EAI_BADFLAGS"}, {EAI_FAIL, "EAI_FAIL"},
    {EAI_FAMILY, "EAI_FAMILY"}, {EAI_MEMORY, "EAI_MEMORY"},     {EAI_NODATA, "EAI_NODATA"},
    {EAI_NONAME, "EAI_NONAME"}, {EAI_SERVICE, "EAI_SERVICE"},   {EAI_SOCKTYPE, "EAI_SOCKTYPE"},
    {EAI_SYSTEM, "EAI_SYSTEM"}, {EAI_OVERFLOW, "EAI_OVERFLOW"}, {EAI_ADDRFAMILY, "EAI_ADDRFAMILY"},
};
enum { GAI_NAME_COUNT = sizeof gai_names / sizeof gai_names[0] };

static const char *name_of_gai(int status)
{
    for (size_t i = 0; i < GAI_NAME_COUNT; i++) {
        if (gai_names[i].status == status) {
            return gai_names[i].name;
        }
    }
    return NULL;
}

int gai_of_name(const char *name)
{
    for (size_t i = 0; i < GAI_NAME_COUNT; i++) {
        if (strcmp(gai_names[i].name, name) == 0) {
            return gai_names[i].status;
        }
    }
    return EAI_FAIL;
}

/* Two names of one number: Python prefers the other one than glibc. */
static const char *name_of_number(int number)
{
    return number == ENOTSUP ? "ENOTSUP" : strerrorname_np(number);
}

const char *name_of_errno(const struct rill_error *error, char memory[ERRNO_NAME_SIZE])
{
    const char *name =
        error->code == RILL_EGAI ? name_of_gai(error->os_errno) : name_of_number(error->os_errno);
    snprintf(memory, ERRNO_NAME_SIZE, "%d", error->os_errno);
    return name != NULL ? name : memory;
}

int errno_of_name(const char *name)
{
    for (int number = 1; number <= HIGHEST_ERRNO; number++) {
        const char *known = name_of_number(number);
        if (known != NULL && strcmp(known, name) == 0) {
            return number;
        }
    }
    return strcmp(name, "EOPNOTSUPP") == 0 ? EOPNOTSUPP : 0;
}
