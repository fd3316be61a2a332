# SPDX-License-Identifier: MIT
#
# The mnemonics that Python puts into `[SSL: WRONG_VERSION_NUMBER]`: OpenSSL keeps them as macro names alone, so they are
# read from the headers that rill is compiled with.

# Writes a row `{ERR_LIB_SSL, 267, "WRONG_VERSION_NUMBER"},` for each reason of each library to the file `output`.
function(rill_tls_names output)
    # The folder of opensslconf.h, which is what OPENSSL_INCLUDE_DIR may be, need not be the one of the others.
    find_path(RILL_OPENSSL_REASONS_DIR NAMES openssl/sslerr.h
        HINTS ${OPENSSL_INCLUDE_DIR} "${OPENSSL_INCLUDE_DIR}/.."
        DOC "The folder that openssl/sslerr.h is in")
    mark_as_advanced(RILL_OPENSSL_REASONS_DIR)
    if(NOT RILL_OPENSSL_REASONS_DIR)
        message(FATAL_ERROR "OpenSSL's header openssl/sslerr.h is not there: install OpenSSL's development files, or give "
            "their folder with -DRILL_OPENSSL_REASONS_DIR=")
    endif()

    file(GLOB headers "${RILL_OPENSSL_REASONS_DIR}/openssl/*err.h")
    list(FILTER headers EXCLUDE REGEX "/err\\.h$") # ERR_R_...: errors of no library, which have no name in Python
    set(rows "")
    foreach(header IN LISTS headers)
        file(STRINGS "${header}" lines REGEX "^ *# *define +[A-Z0-9_]+_R_[A-Z0-9_]+ +[0-9]+")
        list(TRANSFORM lines REPLACE
            "^ *# *define +([A-Z0-9]+|OSSL_[A-Z]+)_R_([A-Z0-9_]+) +([0-9]+).*$" "    {ERR_LIB_\\1, \\3, \"\\2\"},")
        list(APPEND rows ${lines})
    endforeach()
    list(LENGTH rows count)
    if(count LESS 500)
        message(FATAL_ERROR "Only ${count} reasons of errors found in ${RILL_OPENSSL_REASONS_DIR}/openssl/*err.h")
    endif()
    list(JOIN rows "\n" text)
    # Rewritten only when it changes, so that a configuration does not compile anew.
    file(CONFIGURE OUTPUT "${output}" CONTENT "${text}\n" @ONLY)
    set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${headers})
endfunction()
