/* SPDX-License-Identifier: MIT
 *
 * registers_through for riscv64, see registers.h.
 * a0 patterns, a1 found, a2 fn, a3 coro, a4 value.
 */
    .macro  all op, fop, base
    \op     s0, 0(\base)
    \op     s1, 8(\base)
    \op     s2, 16(\base)
    \op     s3, 24(\base)
    \op     s4, 32(\base)
    \op     s5, 40(\base)
    \op     s6, 48(\base)
    \op     s7, 56(\base)
    \op     s8, 64(\base)
    \op     s9, 72(\base)
    \op     s10, 80(\base)
    \op     s11, 88(\base)
    \fop    fs0, 96(\base)
    \fop    fs1, 104(\base)
    \fop    fs2, 112(\base)
    \fop    fs3, 120(\base)
    \fop    fs4, 128(\base)
    \fop    fs5, 136(\base)
    \fop    fs6, 144(\base)
    \fop    fs7, 152(\base)
    \fop    fs8, 160(\base)
    \fop    fs9, 168(\base)
    \fop    fs10, 176(\base)
    \fop    fs11, 184(\base)
    .endm

    .text
    .globl  registers_through
    .type   registers_through, @function
registers_through:
    addi    sp, sp, -208
    all     sd, fsd, sp
    sd      ra, 192(sp)
    sd      a1, 200(sp)
    all     ld, fld, a0
    mv      a0, a3
    mv      a1, a4
    jalr    a2
    ld      a1, 200(sp)
    all     sd, fsd, a1
    all     ld, fld, sp
    ld      ra, 192(sp)
    addi    sp, sp, 208
    ret
    .size   registers_through, . - registers_through
    .section .note.GNU-stack, "", @progbits
