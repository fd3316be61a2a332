/* SPDX-License-Identifier: MIT
 *
 * Context switch for x86-64, System V ABI, ELF, LP64. A suspended context is this frame on its own stack:
 *
 *      sp + 0   MXCSR (4 bytes), x87 control word (2)      only with RILL_CORO_STRICT_FP
 *      +0 (+8)  r15                    from here on the offsets
 *      +8       r14                    grow by 8 with
 *      +16      r13                    RILL_CORO_STRICT_FP
 *      +24      r12
 *      +32      rbx
 *      +40      rbp                    new coroutine: 0, which ends walks by frame pointer
 *      +48      return address         new coroutine: rill__coro_entry
 *      +56      the caller's frame     new coroutine: its struct rill_coro
 *
 * In a new one rbx and r12 to r15 are whatever the stack held before: nobody reads them.
 *
 * The switch ends in pop and jump, not in ret: the processor's return predictor would expect the return into the
 * context that is being left, and every wrong guess costs more than the whole rest. The target of that jump is no
 * landing pad, hence notrack under IBT. The property note claims IBT only: a shadow stack is not switched here.
 */

#ifdef RILL_CORO_STRICT_FP
#define FP_BYTES 8
.macro save_fp
    subq    $8, %rsp
    .cfi_adjust_cfa_offset 8
    stmxcsr (%rsp)
    fnstcw  4(%rsp)
.endm
.macro load_fp
    ldmxcsr (%rsp)
    fldcw   4(%rsp)
    addq    $8, %rsp
    .cfi_adjust_cfa_offset -8
.endm
.macro store_fp_at base
    stmxcsr (\base)
    fnstcw  4(\base)
.endm
#else
#define FP_BYTES 0
.macro save_fp
.endm
.macro load_fp
.endm
.macro store_fp_at base
.endm
#endif

.macro save reg
    pushq   %\reg
    .cfi_adjust_cfa_offset 8
    .cfi_rel_offset %\reg, 0
.endm
.macro load reg
    popq    %\reg
    .cfi_adjust_cfa_offset -8
    .cfi_restore %\reg
.endm

    .text

/* void *rill__coro_switch(void **save, void *load, void *value) */
    .globl  rill__coro_switch
    .hidden rill__coro_switch
    .type   rill__coro_switch, @function
    .p2align 5
rill__coro_switch:
    .cfi_startproc
    endbr64
    save    rbp
    save    rbx
    save    r12
    save    r13
    save    r14
    save    r15
    save_fp
    movq    %rsp, (%rdi)
    movq    %rsi, %rsp          /* the other frame has the same shape: the unwind rules stay true */
    load_fp
    load    r15
    load    r14
    load    r13
    load    r12
    load    rbx
    load    rbp
    movq    %rdx, %rax
    popq    %rcx
    .cfi_adjust_cfa_offset -8
    .cfi_register %rip, %rcx
    notrack jmp *%rcx
    .cfi_endproc
    .size   rill__coro_switch, . - rill__coro_switch

/* int rill__coro_frame(struct rill_coro *coro) */
    .globl  rill__coro_frame
    .hidden rill__coro_frame
    .type   rill__coro_frame, @function
    .p2align 4
rill__coro_frame:
    .cfi_startproc
    endbr64
    leaq    rill__coro_entry(%rip), %rdx
    leaq    -(56 + FP_BYTES)(%rdi), %rcx
    xorl    %eax, %eax
    store_fp_at %rcx
    movq    %rax, FP_BYTES + 40(%rcx)
    movq    %rdx, FP_BYTES + 48(%rcx)
    movq    %rcx, (%rdi)
    ret
    .cfi_endproc
    .size   rill__coro_frame, . - rill__coro_frame

/* Where a new coroutine begins: rsp is the coroutine (its address need not come by way of memory, which whoever runs many
 * short ones would wait for), rax the value. There is no caller: unwinding ends here. */
    .type   rill__coro_entry, @function
    .p2align 4
rill__coro_entry:
    .cfi_startproc
    .cfi_undefined %rip
    endbr64
    movq    %rsp, %rdi
    movq    %rax, %rsi
    call    rill__coro_main
    ud2
    .cfi_endproc
    .size   rill__coro_entry, . - rill__coro_entry

    .section .note.gnu.property, "a", @note
    .p2align 3
    .long   4                   /* size of the name */
    .long   16                  /* size of the description */
    .long   5                   /* NT_GNU_PROPERTY_TYPE_0 */
    .asciz  "GNU"
    .long   0xc0000002          /* GNU_PROPERTY_X86_FEATURE_1_AND */
    .long   4
    .long   1                   /* IBT, and not SHSTK (2) */
    .long   0

    .section .note.GNU-stack, "", @progbits
