# SPDX-License-Identifier: MIT
#
# Cross build for riscv64 Linux with Debian's compiler (gcc-riscv64-linux-gnu), static, run by qemu-user where that is installed.
set(CMAKE_SYSTEM_NAME Linux)
set(CMAKE_SYSTEM_PROCESSOR riscv64)
set(CMAKE_C_COMPILER riscv64-linux-gnu-gcc)
set(CMAKE_ASM_COMPILER riscv64-linux-gnu-gcc)
set(CMAKE_EXE_LINKER_FLAGS_INIT -static)

# Nothing of the build machine may be linked or included.
set(CMAKE_FIND_ROOT_PATH /usr/riscv64-linux-gnu)
set(CMAKE_FIND_ROOT_PATH_MODE_PROGRAM NEVER)
set(CMAKE_FIND_ROOT_PATH_MODE_LIBRARY ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_INCLUDE ONLY)
set(CMAKE_FIND_ROOT_PATH_MODE_PACKAGE ONLY)

find_program(RILL_QEMU NAMES qemu-riscv64 qemu-riscv64-static)
if(RILL_QEMU)
    set(CMAKE_CROSSCOMPILING_EMULATOR ${RILL_QEMU})
endif()
