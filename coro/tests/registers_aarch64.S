/* SPDX-License-Identifier: MIT
 *
 * registers_through for aarch64, see registers.h.
 * x0 patterns, x1 found, x2 fn, x3 coro, x4 value.
 */
    .macro  all op, base
    \op     x19, x20, [\base, #0]
    \op     x21, x22, [\base, #16]
    \op     x23, x24, [\base, #32]
    \op     x25, x26, [\base, #48]
    \op     x27, x28, [\base, #64]
    .endm
    .macro  all_fp op, base, offset
    \op     d8, d9, [\base, #\offset]
    \op     d10, d11, [\base, #\offset + 16]
    \op     d12, d13, [\base, #\offset + 32]
    \op     d14, d15, [\base, #\offset + 48]
    .endm

    .text
    .globl  registers_through
    .type   registers_through, %function
registers_through:
    hint    #34                 /* bti c */
    sub     sp, sp, #176
    all     stp, sp
    stp     x29, x30, [sp, #80]
    all_fp  stp, sp, 96
    str     x1, [sp, #160]
    all     ldp, x0
    ldr     x29, [x0, #80]
    all_fp  ldp, x0, 88
    mov     x0, x3
    mov     x1, x4
    blr     x2
    ldr     x1, [sp, #160]
    all     stp, x1
    str     x29, [x1, #80]
    all_fp  stp, x1, 88
    all     ldp, sp
    ldp     x29, x30, [sp, #80]
    all_fp  ldp, sp, 96
    add     sp, sp, #176
    ret
    .size   registers_through, . - registers_through
    .section .note.GNU-stack, "", %progbits
