# SPDX-License-Identifier: MIT
#
# rill_fuzz_planted(TARGET MISTAKE NAME SOURCES FILE ... [FLAGS FLAG ...]): test fuzz.TARGET.planted, which plants a
# mistake of find_planted.py in a copy of its folder of core/, compiles the target against it with clang's libFuzzer and
# gives it 30 seconds from an empty corpus to find it. One release build is enough: the test compiles what it runs itself.
find_package(Python3 3.8 REQUIRED COMPONENTS Interpreter)

function(rill_fuzz_planted target)
    cmake_parse_arguments(PARSE_ARGV 1 arg "" "MISTAKE" "SOURCES;FLAGS")
    if(NOT RILL_BUILD_TESTS OR NOT CMAKE_BUILD_TYPE STREQUAL "Release" OR NOT CMAKE_C_COMPILER_ID STREQUAL "GNU"
       OR RILL_SANITIZE OR RILL_CORO_STRICT_FP OR NOT RILL_CORO_BACKEND STREQUAL "auto")
        return()
    endif()
    list(TRANSFORM arg_SOURCES PREPEND "${CMAKE_CURRENT_SOURCE_DIR}/")
    add_test(NAME fuzz.${target}.planted
        COMMAND ${Python3_EXECUTABLE} "${PROJECT_SOURCE_DIR}/fuzz/planted/find_planted.py" ${arg_MISTAKE} ${arg_SOURCES} -- ${arg_FLAGS})
    set_tests_properties(fuzz.${target}.planted PROPERTIES TIMEOUT 180 LABELS fuzz SKIP_RETURN_CODE 77)
endfunction()
