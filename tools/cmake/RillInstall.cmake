# SPDX-License-Identifier: MIT
#
# What `cmake --install` gives besides headers and libraries: rill's package config for find_package and two
# pkg-config files.
include(CMakePackageConfigHelpers)

set(rill_cmake_dir "${CMAKE_INSTALL_LIBDIR}/cmake/rill")

configure_package_config_file("${CMAKE_CURRENT_LIST_DIR}/rillConfig.cmake.in" "${PROJECT_BINARY_DIR}/rillConfig.cmake"
    INSTALL_DESTINATION "${rill_cmake_dir}")
# Before 1.0 a new minor version may break its users.
write_basic_package_version_file("${PROJECT_BINARY_DIR}/rillConfigVersion.cmake" COMPATIBILITY SameMinorVersion)
install(FILES
    "${PROJECT_BINARY_DIR}/rillConfig.cmake"
    "${PROJECT_BINARY_DIR}/rillConfigVersion.cmake"
    "${CMAKE_CURRENT_LIST_DIR}/FindLibev.cmake"
    DESTINATION "${rill_cmake_dir}")
install(EXPORT rill-targets NAMESPACE rill:: DESTINATION "${rill_cmake_dir}")

# pkg-config files are moved with the prefix: paths are relative to the file where they can be.
if(IS_ABSOLUTE "${CMAKE_INSTALL_LIBDIR}" OR IS_ABSOLUTE "${CMAKE_INSTALL_INCLUDEDIR}")
    set(rill_pc_prefix "${CMAKE_INSTALL_PREFIX}")
    set(rill_pc_libdir "${CMAKE_INSTALL_FULL_LIBDIR}")
    set(rill_pc_includedir "${CMAKE_INSTALL_FULL_INCLUDEDIR}")
else()
    file(RELATIVE_PATH rill_pc_up "/${CMAKE_INSTALL_LIBDIR}/pkgconfig" "/")
    string(REGEX REPLACE "/$" "" rill_pc_up "${rill_pc_up}")
    set(rill_pc_prefix "\${pcfiledir}/${rill_pc_up}")
    set(rill_pc_libdir "\${prefix}/${CMAKE_INSTALL_LIBDIR}")
    set(rill_pc_includedir "\${prefix}/${CMAKE_INSTALL_INCLUDEDIR}")
endif()
foreach(name rill rill-coro)
    configure_file("${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in" "${PROJECT_BINARY_DIR}/${name}.pc" @ONLY)
    install(FILES "${PROJECT_BINARY_DIR}/${name}.pc" DESTINATION "${CMAKE_INSTALL_LIBDIR}/pkgconfig")
endforeach()
