/* SPDX-License-Identifier: MIT
 *
 * memory.c: the allocator is taken from the table, cannot change once used, and a broken invariant
 * says where.
 */
#include "rig.h"

#include "sansio/memory.h"

static void break_an_invariant(void)
{
    rill_assert(1 + 1 == 3);
}

static void test_assertion(void)
{
    CHECK(rig_aborts(break_an_invariant, "memory_test.c:"));
    CHECK(rig_aborts(break_an_invariant, ": broken invariant: 1 + 1 == 3\n"));
}

static void use_default_functions(void)
{
    void *memory = rill__alloc(10);
    CHECK(memory != NULL);
    memory = rill__realloc(memory, 1000);
    CHECK(memory != NULL);
    rill__free(memory);
    rill__free(NULL);
}

/* In a child, because this one must not have allocated yet. */
static void default_then_abort(void)
{
    use_default_functions();
    rill_assert(check_failures > 0);
}

static void test_calls(struct rig_allocator *allocator)
{
    char *zeroed = rill__alloc_zeroed(64);
    CHECK(zeroed != NULL && zeroed[0] == 0 && zeroed[63] == 0);
    char *nothing = rill__alloc(0);
    CHECK(nothing != NULL);
    nothing = rill__realloc(nothing, 0);
    CHECK(nothing != NULL);
    char *copy = rill__strdup("text");
    CHECK_STR(copy, "text");
    CHECK_INT(allocator->live, 3);
    CHECK_INT(allocator->calls, 4);

    allocator->fail_at = allocator->calls + 1;
    allocator->fail_on = true;
    CHECK(rill__alloc(1) == NULL);
    CHECK(rill__alloc_zeroed(1) == NULL);
    CHECK(rill__strdup("x") == NULL);
    CHECK(rill__realloc(copy, 100) == NULL);
    CHECK_STR(copy, "text");
    allocator->fail_at = 0;

    rill__free(zeroed);
    rill__free(nothing);
    rill__free(copy);
    rill__free(NULL);
    CHECK_INT(allocator->live, 0);
}

int main(void)
{
    test_assertion();
    /* NULL puts back what is there already, and counts as no use. */
    CHECK_INT(rill_set_allocator(NULL), 0);
    CHECK(rig_aborts(default_then_abort, "check_failures > 0"));
    test_calls(rig_use_allocator());
    CHECK_INT(rill_set_allocator(NULL), RILL_ERUNTIME);
    return check_report("memory_test");
}
