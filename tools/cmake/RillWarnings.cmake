# SPDX-License-Identifier: MIT
#
# rill-warnings: what every C file that we own is compiled with. Link it PRIVATE and only for the build, as in
# `$<BUILD_INTERFACE:rill-warnings>`: it is never exported, so a consumer's warnings stay the consumer's business.
add_library(rill-warnings INTERFACE)

set(rill_warnings
    -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wsign-conversion
    -Wpointer-arith -Wformat=2 -Wundef -Wvla -Wwrite-strings)
set(rill_warnings_c -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition)
if(CMAKE_C_COMPILER_ID STREQUAL "GNU")
    list(APPEND rill_warnings -Wduplicated-cond)
    list(APPEND rill_warnings_c -Wjump-misses-init)
endif()
if(RILL_WERROR)
    list(APPEND rill_warnings -Werror)
endif()

target_compile_options(rill-warnings INTERFACE
    "$<$<COMPILE_LANGUAGE:C>:${rill_warnings};${rill_warnings_c}>"
    "$<$<COMPILE_LANGUAGE:CXX>:${rill_warnings}>")

# Strict C11 hides POSIX and Linux declarations; the empty value equals a plain `#define _GNU_SOURCE` in a file.
target_compile_definitions(rill-warnings INTERFACE "$<$<COMPILE_LANGUAGE:C>:_GNU_SOURCE=>")
