# SPDX-License-Identifier: MIT
#
# RILL_SANITIZE and RILL_COVERAGE: they must reach every object of a program, ours or a test's, so they are set for
# the directory and not by target.
if(RILL_SANITIZE)
    if(NOT RILL_SANITIZE MATCHES "^(fuzzer-no-link,)?(address,undefined|address|undefined|thread)$")
        message(FATAL_ERROR "RILL_SANITIZE is '${RILL_SANITIZE}': give address,undefined or thread")
    endif()
    if(RILL_SANITIZE STREQUAL "thread" AND NOT CMAKE_C_COMPILER_ID MATCHES "Clang")
        message(FATAL_ERROR "RILL_SANITIZE=thread needs clang: gcc's libtsan does not follow switches of stack")
    endif()
    set(rill_sanitize -fsanitize=${RILL_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
    add_compile_options(${rill_sanitize})
    add_link_options(${rill_sanitize})
endif()

if(RILL_COVERAGE)
    add_compile_options(--coverage -fprofile-update=atomic)
    add_link_options(--coverage)
endif()
