/* SPDX-License-Identifier: MIT
 *
 * registers_through for x86-64, see registers.h.
 * rdi patterns, rsi found, rdx fn, rcx coro, r8 value.
 */
    .text
    .globl  registers_through
    .type   registers_through, @function
registers_through:
    endbr64
    pushq   %rbx
    pushq   %rbp
    pushq   %r12
    pushq   %r13
    pushq   %r14
    pushq   %r15
    pushq   %rsi                /* and the stack is aligned to 16 */
    movq    0(%rdi), %rbx
    movq    8(%rdi), %rbp
    movq    16(%rdi), %r12
    movq    24(%rdi), %r13
    movq    32(%rdi), %r14
    movq    40(%rdi), %r15
    movq    %rcx, %rdi
    movq    %r8, %rsi
    call    *%rdx
    popq    %rsi
    movq    %rbx, 0(%rsi)
    movq    %rbp, 8(%rsi)
    movq    %r12, 16(%rsi)
    movq    %r13, 24(%rsi)
    movq    %r14, 32(%rsi)
    movq    %r15, 40(%rsi)
    popq    %r15
    popq    %r14
    popq    %r13
    popq    %r12
    popq    %rbp
    popq    %rbx
    ret
    .size   registers_through, . - registers_through
    .section .note.GNU-stack, "", @progbits
