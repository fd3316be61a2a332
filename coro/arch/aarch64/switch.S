/* SPDX-License-Identifier: MIT
 *
 * Context switch for aarch64, AAPCS64, ELF. A suspended context is this frame of 176 bytes on its own stack:
 *
 *      sp + 0    x19, x20
 *      +16       x21, x22
 *      +32       x23, x24
 *      +48       x25, x26
 *      +64       x27, x28
 *      +80       x29, x30              new coroutine: 0 (ends walks by frame pointer) and rill__coro_entry
 *      +96       d8, d9                the ABI keeps the low halves of v8 to v15 only
 *      +112      d10, d11
 *      +128      d12, d13
 *      +144      d14, d15
 *      +160      FPCR, unused          FPCR only with RILL_CORO_STRICT_FP
 *      +176      the caller's frame    new coroutine: its struct rill_coro
 *
 * The switch ends in ret: its target needs no landing pad under BTI. The property note claims BTI only; return
 * addresses are not signed and a guarded control stack is not switched here.
 */

#ifdef RILL_CORO_STRICT_FP
.macro save_fp
    mrs     x10, fpcr
    str     x10, [sp, #160]
.endm
.macro load_fp
    ldr     x10, [sp, #160]
    msr     fpcr, x10
.endm
.macro store_fp_at base
    mrs     x10, fpcr
    str     x10, [\base, #160]
.endm
#else
.macro save_fp
.endm
.macro load_fp
.endm
.macro store_fp_at base
.endm
#endif

.macro save first, second, offset
    stp     \first, \second, [sp, #\offset]
    .cfi_rel_offset \first, \offset
    .cfi_rel_offset \second, \offset + 8
.endm
.macro load first, second, offset
    ldp     \first, \second, [sp, #\offset]
    .cfi_restore \first
    .cfi_restore \second
.endm

    .text

/* void *rill__coro_switch(void **save, void *load, void *value) */
    .globl  rill__coro_switch
    .hidden rill__coro_switch
    .type   rill__coro_switch, %function
    .p2align 5
rill__coro_switch:
    .cfi_startproc
    hint    #34                 /* bti c */
    sub     sp, sp, #176
    .cfi_adjust_cfa_offset 176
    save    x19, x20, 0
    save    x21, x22, 16
    save    x23, x24, 32
    save    x25, x26, 48
    save    x27, x28, 64
    save    x29, x30, 80
    save    d8, d9, 96
    save    d10, d11, 112
    save    d12, d13, 128
    save    d14, d15, 144
    save_fp
    mov     x9, sp
    str     x9, [x0]
    mov     sp, x1              /* the other frame has the same shape: the unwind rules stay true */
    load_fp
    load    x29, x30, 80
    load    x19, x20, 0
    load    x21, x22, 16
    load    x23, x24, 32
    load    x25, x26, 48
    load    x27, x28, 64
    load    d8, d9, 96
    load    d10, d11, 112
    load    d12, d13, 128
    load    d14, d15, 144
    mov     x0, x2
    add     sp, sp, #176
    .cfi_adjust_cfa_offset -176
    ret
    .cfi_endproc
    .size   rill__coro_switch, . - rill__coro_switch

/* int rill__coro_frame(struct rill_coro *coro) */
    .globl  rill__coro_frame
    .hidden rill__coro_frame
    .type   rill__coro_frame, %function
    .p2align 4
rill__coro_frame:
    .cfi_startproc
    hint    #34                 /* bti c */
    mov     x1, x0
    sub     x0, x0, #176
    str     x0, [x1]
    adrp    x9, rill__coro_entry
    add     x9, x9, :lo12:rill__coro_entry
    stp     xzr, xzr, [x0]
    stp     xzr, xzr, [x0, #16]
    stp     xzr, xzr, [x0, #32]
    stp     xzr, xzr, [x0, #48]
    stp     xzr, xzr, [x0, #64]
    stp     xzr, x9, [x0, #80]
    stp     xzr, xzr, [x0, #96]
    stp     xzr, xzr, [x0, #112]
    stp     xzr, xzr, [x0, #128]
    stp     xzr, xzr, [x0, #144]
    store_fp_at x0
    mov     x0, #0
    ret
    .cfi_endproc
    .size   rill__coro_frame, . - rill__coro_frame

/* Where a new coroutine begins: sp is the coroutine, x0 the value. There is no caller: unwinding ends here. */
    .type   rill__coro_entry, %function
    .p2align 4
rill__coro_entry:
    .cfi_startproc
    .cfi_undefined x30
    hint    #36                 /* bti j, for a switch that ends in br one day; ret needs none */
    mov     x1, x0
    mov     x0, sp
    bl      rill__coro_main
    brk     #1
    .cfi_endproc
    .size   rill__coro_entry, . - rill__coro_entry

    .section .note.gnu.property, "a", %note
    .p2align 3
    .long   4                   /* size of the name */
    .long   16                  /* size of the description */
    .long   5                   /* NT_GNU_PROPERTY_TYPE_0 */
    .asciz  "GNU"
    .long   0xc0000000          /* GNU_PROPERTY_AARCH64_FEATURE_1_AND */
    .long   4
    .long   1                   /* BTI, and neither PAC (2) nor GCS (4) */
    .long   0

    .section .note.GNU-stack, "", %progbits
