# SPDX-License-Identifier: MIT
#
# Finds libev by its header and library: Debian's package brings no pkg-config file. Defines the target Libev::Libev
# and Libev_VERSION. Installed beside rill's package config, because a static librill needs libev at the consumer's link.
find_path(Libev_INCLUDE_DIR NAMES ev.h PATH_SUFFIXES libev)
find_library(Libev_LIBRARY NAMES ev)
mark_as_advanced(Libev_INCLUDE_DIR Libev_LIBRARY)

if(Libev_INCLUDE_DIR)
    file(STRINGS "${Libev_INCLUDE_DIR}/ev.h" libev_version_lines REGEX "EV_VERSION_M[A-Z]+ +[0-9]+")
    string(REGEX REPLACE ".*EV_VERSION_MAJOR +([0-9]+).*" "\\1" libev_major "${libev_version_lines}")
    string(REGEX REPLACE ".*EV_VERSION_MINOR +([0-9]+).*" "\\1" libev_minor "${libev_version_lines}")
    set(Libev_VERSION "${libev_major}.${libev_minor}")
    unset(libev_version_lines)
    unset(libev_major)
    unset(libev_minor)
endif()

include(FindPackageHandleStandardArgs)
find_package_handle_standard_args(Libev
    REQUIRED_VARS Libev_LIBRARY Libev_INCLUDE_DIR
    VERSION_VAR Libev_VERSION)

if(Libev_FOUND AND NOT TARGET Libev::Libev)
    add_library(Libev::Libev UNKNOWN IMPORTED)
    set_target_properties(Libev::Libev PROPERTIES
        IMPORTED_LOCATION "${Libev_LIBRARY}"
        INTERFACE_INCLUDE_DIRECTORIES "${Libev_INCLUDE_DIR}")
    # A static libev uses floor() of libm; harmless beside a shared one.
    set_property(TARGET Libev::Libev APPEND PROPERTY INTERFACE_LINK_LIBRARIES m)
endif()
