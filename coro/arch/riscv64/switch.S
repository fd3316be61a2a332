/* SPDX-License-Identifier: MIT
 *
 * Context switch for riscv64, psABI lp64d, ELF. A suspended context is this frame of 208 bytes on its own stack:
 *
 *      sp + 0          ra              new coroutine: rill__coro_entry
 *      +8  .. +96      s0 .. s11       new coroutine: s0 is 0 (ends walks by frame pointer)
 *      +104 .. +192    fs0 .. fs11
 *      +200            frm             rounding mode, only with RILL_CORO_STRICT_FP
 *      +208            the caller's frame; new coroutine: its struct rill_coro
 *
 * The switch ends in ret. No property note: there is no landing pad to claim in the base instruction set.
 */

#ifdef RILL_CORO_STRICT_FP
.macro save_fp
    frrm    t0
    sd      t0, 200(sp)
.endm
.macro load_fp
    ld      t0, 200(sp)
    fsrm    t0
.endm
.macro store_fp_at base
    frrm    t0
    sd      t0, 200(\base)
.endm
#else
.macro save_fp
.endm
.macro load_fp
.endm
.macro store_fp_at base
.endm
#endif

.macro save reg, offset
    sd      \reg, \offset(sp)
    .cfi_rel_offset \reg, \offset
.endm
.macro fsave reg, offset
    fsd     \reg, \offset(sp)
    .cfi_rel_offset \reg, \offset
.endm
.macro load reg, offset
    ld      \reg, \offset(sp)
    .cfi_restore \reg
.endm
.macro fload reg, offset
    fld     \reg, \offset(sp)
    .cfi_restore \reg
.endm

    .text

/* void *rill__coro_switch(void **save, void *load, void *value) */
    .globl  rill__coro_switch
    .hidden rill__coro_switch
    .type   rill__coro_switch, @function
    .p2align 4
rill__coro_switch:
    .cfi_startproc
    addi    sp, sp, -208
    .cfi_adjust_cfa_offset 208
    save    ra, 0
    save    s0, 8
    save    s1, 16
    save    s2, 24
    save    s3, 32
    save    s4, 40
    save    s5, 48
    save    s6, 56
    save    s7, 64
    save    s8, 72
    save    s9, 80
    save    s10, 88
    save    s11, 96
    fsave   fs0, 104
    fsave   fs1, 112
    fsave   fs2, 120
    fsave   fs3, 128
    fsave   fs4, 136
    fsave   fs5, 144
    fsave   fs6, 152
    fsave   fs7, 160
    fsave   fs8, 168
    fsave   fs9, 176
    fsave   fs10, 184
    fsave   fs11, 192
    save_fp
    sd      sp, 0(a0)
    mv      sp, a1              /* the other frame has the same shape: the unwind rules stay true */
    load_fp
    load    ra, 0
    load    s0, 8
    load    s1, 16
    load    s2, 24
    load    s3, 32
    load    s4, 40
    load    s5, 48
    load    s6, 56
    load    s7, 64
    load    s8, 72
    load    s9, 80
    load    s10, 88
    load    s11, 96
    fload   fs0, 104
    fload   fs1, 112
    fload   fs2, 120
    fload   fs3, 128
    fload   fs4, 136
    fload   fs5, 144
    fload   fs6, 152
    fload   fs7, 160
    fload   fs8, 168
    fload   fs9, 176
    fload   fs10, 184
    fload   fs11, 192
    mv      a0, a2
    addi    sp, sp, 208
    .cfi_adjust_cfa_offset -208
    ret
    .cfi_endproc
    .size   rill__coro_switch, . - rill__coro_switch

/* int rill__coro_frame(struct rill_coro *coro) */
    .globl  rill__coro_frame
    .hidden rill__coro_frame
    .type   rill__coro_frame, @function
    .p2align 4
rill__coro_frame:
    .cfi_startproc
    mv      a1, a0
    addi    a0, a0, -208
    sd      a0, 0(a1)
    lla     t1, rill__coro_entry
    sd      t1, 0(a0)
    sd      zero, 8(a0)
    .set    at_offset, 16
    .rept   23                  /* s1 to s11 and fs0 to fs11 */
    sd      zero, at_offset(a0)
    .set    at_offset, at_offset + 8
    .endr
    store_fp_at a0
    li      a0, 0
    ret
    .cfi_endproc
    .size   rill__coro_frame, . - rill__coro_frame

/* Where a new coroutine begins: sp is the coroutine, a0 the value. There is no caller: unwinding ends here. */
    .type   rill__coro_entry, @function
    .p2align 4
rill__coro_entry:
    .cfi_startproc
    .cfi_undefined ra
    mv      a1, a0
    mv      a0, sp
    call    rill__coro_main
    ebreak
    .cfi_endproc
    .size   rill__coro_entry, . - rill__coro_entry

    .section .note.GNU-stack, "", @progbits
