/* SPDX-License-Identifier: MIT
 *
 * Names of exception classes and of errno values.
 */
#include "names.h"

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

const char *name_of_errno(int number, char memory[ERRNO_NAME_SIZE])
{
    const char *name = strerrorname_np(number);
    snprintf(memory, ERRNO_NAME_SIZE, "%d", number);
    return name != NULL ? name : memory;
}

int errno_of_name(const char *name)
{
    for (int number = 1; number <= HIGHEST_ERRNO; number++) {
        const char *known = strerrorname_np(number);
        if (known != NULL && strcmp(known, name) == 0) {
            return number;
        }
    }
    return 0;
}
