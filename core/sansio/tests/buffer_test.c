/* SPDX-License-Identifier: MIT
 *
 * buffer.c: what a view sees never changes, bytes keep their order, and the block grows, moves and
 * shrinks when it should.
 */
#include <stdint.h>

#include "rig.h"

#include "sansio/buffer.h"

static struct rig_allocator *allocator;

static void append(struct rill__buffer *buffer, const char *text)
{
    CHECK_INT(rill__buffer_append(buffer, text, strlen(text)), 0);
}

static const char *live(const struct rill__buffer *buffer)
{
    return rig_text((struct rill_bytes){rill__buffer_data(buffer), rill__buffer_length(buffer)});
}

static struct rill_bytes take(struct rill__buffer *buffer, size_t count)
{
    struct rill_bytes view = {NULL, 0};
    CHECK_INT(rill__buffer_take(buffer, count, &view), 0);
    return view;
}

/* Appends `count` bytes of one letter. */
static void append_many(struct rill__buffer *buffer, char letter, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        CHECK_INT(rill__buffer_append(buffer, &letter, 1), 0);
    }
}

static void test_empty(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    CHECK_INT((long long)rill__buffer_length(&buffer), 0);
    CHECK(rill__buffer_data(&buffer) == NULL);
    CHECK_INT((long long)take(&buffer, 0).len, 0);
    CHECK_INT((long long)rill__buffer_take_held(&buffer).len, 0);
    CHECK_INT(rill__buffer_append(&buffer, NULL, 0), 0);
    rill__buffer_unpin(&buffer);
    rill__buffer_put_back_held(&buffer);
    rill__buffer_shrink(&buffer, 0);
    CHECK(buffer.block == NULL);
    rill__buffer_cleanup(&buffer);
}

static void test_queue(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append(&buffer, "hello ");
    append(&buffer, "world");
    struct rill_bytes view = take(&buffer, 6);
    CHECK_STR(rig_text(view), "hello ");
    rill__buffer_discard(&buffer, 2);
    CHECK_STR(live(&buffer), "rld");
    CHECK_INT((long long)buffer.capacity, 1024);
    CHECK_STR(rig_text(view), "hello ");
    rill__buffer_cleanup(&buffer);
    CHECK_INT(allocator->live, 0);
}

static void test_space_is_all_there_is(void)
{
    struct rill__buffer buffer;
    char *space;
    size_t size;
    rill__buffer_init(&buffer);
    CHECK_INT(rill__buffer_space(&buffer, 0, &space, &size), 0);
    CHECK_INT((long long)size, 1024);
    memcpy(space, "abc", 3);
    rill__buffer_filled(&buffer, 3);
    CHECK_INT(rill__buffer_space(&buffer, 10, &space, &size), 0);
    CHECK_INT((long long)size, 1021);
    CHECK_INT(rill__buffer_space(&buffer, 5000, &space, &size), 0);
    CHECK_INT((long long)size, 8192 - 3);
    CHECK_STR(live(&buffer), "abc");
    rill__buffer_cleanup(&buffer);
}

/* A view stays while its block is replaced, and while a second one is. */
static void test_views_stay(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append_many(&buffer, 'a', 1000);
    struct rill_bytes first = take(&buffer, 500);
    append_many(&buffer, 'b', 1000);
    CHECK(buffer.retired != NULL && !buffer.pinned);
    struct rill_bytes second = take(&buffer, 600);
    append_many(&buffer, 'c', 3000);
    CHECK(buffer.retired->next != NULL);
    CHECK_INT(allocator->live, 3);
    for (size_t i = 0; i < 500; i++) {
        CHECK(first.ptr[i] == 'a' && second.ptr[i] == 'a' && second.ptr[500 + i / 5] == 'b');
    }
    rill__buffer_unpin(&buffer);
    CHECK_INT(allocator->live, 1);
    CHECK_INT((long long)rill__buffer_length(&buffer), 3900);
    rill__buffer_cleanup(&buffer);
}

/* Unpinned, the bytes move to the start when that pays, and otherwise the block doubles. */
static void test_compaction(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append_many(&buffer, 'a', 1000);
    rill__buffer_discard(&buffer, 900);
    append_many(&buffer, 'b', 100);
    CHECK_INT((long long)buffer.capacity, 1024);
    CHECK_INT((long long)buffer.head, 0);
    CHECK_INT((long long)rill__buffer_length(&buffer), 200);
    append_many(&buffer, 'c', 824);
    CHECK_INT((long long)buffer.capacity, 1024);
    rill__buffer_discard(&buffer, 1);
    append_many(&buffer, 'd', 1);
    CHECK_INT((long long)buffer.capacity, 2048);
    CHECK_INT((long long)buffer.head, 0);
    CHECK(rill__buffer_data(&buffer)[98] == 'a' && rill__buffer_data(&buffer)[99] == 'b');
    rill__buffer_cleanup(&buffer);
}

/* The steady path: request after request through one block, without an allocation. */
static void test_steady_path_allocates_nothing(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append(&buffer, "x");
    (void)take(&buffer, 1);
    const long long calls = allocator->calls;
    for (int i = 0; i < 1000; i++) {
        rill__buffer_unpin(&buffer);
        append_many(&buffer, 'r', 64);
        CHECK_INT((long long)take(&buffer, 64).len, 64);
    }
    CHECK_INT(allocator->calls, calls);
    rill__buffer_cleanup(&buffer);
}

/* Feeding a byte and taking a byte with much in between must not move everything each time. */
static void test_moves_are_amortised(void)
{
    enum { BACKLOG = 1000, ROUNDS = 20000 };
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append_many(&buffer, 'a', BACKLOG);
    const long long calls = allocator->calls;
    for (int i = 0; i < ROUNDS; i++) {
        rill__buffer_unpin(&buffer);
        CHECK_INT((long long)take(&buffer, 1).len, 1);
        append_many(&buffer, 'b', 1); /* always while pinned */
    }
    /* A replacement copies the backlog and leaves room for half of it. */
    CHECK(allocator->calls - calls <= ROUNDS / (BACKLOG / 2) + 1);
    CHECK(buffer.capacity <= 4096);
    rill__buffer_cleanup(&buffer);
}

static void test_growth_is_bounded(void)
{
    struct rill__buffer exact;
    char *first;
    size_t all;
    rill__buffer_init(&exact);
    CHECK_INT(rill__buffer_space(&exact, 65536, &first, &all), 0);
    CHECK_INT((long long)all, 65536); /* a power of two is not rounded up */
    rill__buffer_cleanup(&exact);

    for (size_t least = 1; least < 100000; least = least * 3 + 1) {
        struct rill__buffer buffer;
        char *space;
        size_t size;
        rill__buffer_init(&buffer);
        append_many(&buffer, 'x', 300);
        CHECK_INT(rill__buffer_space(&buffer, least, &space, &size), 0);
        CHECK(size >= least);
        CHECK(buffer.capacity == 1024 || buffer.capacity < 2 * (450 + least));
        rill__buffer_cleanup(&buffer);
    }
}

static void test_held(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append(&buffer, "abcdef");
    rill__buffer_discard(&buffer, 1);
    rill__buffer_hold(&buffer, 2);
    CHECK_STR(live(&buffer), "def");
    rill__buffer_hold(&buffer, 1);
    append_many(&buffer, 'x', 2000);     /* the held ones move along */
    rill__buffer_discard(&buffer, 2001); /* behind them, down to the last x */
    CHECK_STR(live(&buffer), "x");
    rill__buffer_put_back_held(&buffer);
    CHECK_STR(live(&buffer), "bcdx");
    rill__buffer_hold(&buffer, 3);
    struct rill_bytes view = rill__buffer_take_held(&buffer);
    CHECK_STR(rig_text(view), "bcd");
    CHECK_STR(live(&buffer), "x");
    rill__buffer_put_back_held(&buffer); /* nothing is held any more */
    CHECK_STR(live(&buffer), "x");
    CHECK(buffer.pinned);
    append_many(&buffer, 'y', 5000);
    CHECK_STR(rig_text(view), "bcd");
    rill__buffer_cleanup(&buffer);
}

/* Something else takes while bytes are held: its view stays, whatever happens to the held ones. */
static void test_take_beside_held(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append(&buffer, "HELDstolenLIVE");
    rill__buffer_hold(&buffer, 4);
    struct rill_bytes stolen = take(&buffer, 6);
    CHECK_STR(live(&buffer), "LIVE");
    rill__buffer_hold(&buffer, 2);
    append_many(&buffer, '.', 3000);
    struct rill_bytes all = rill__buffer_take_held(&buffer);
    CHECK_STR(rig_text(all), "HELDLI");
    append_many(&buffer, '.', 9000);
    CHECK_STR(rig_text(stolen), "stolen");
    CHECK_STR(rig_text(all), "HELDLI");
    CHECK_INT(allocator->live, 3);
    rill__buffer_unpin(&buffer);
    CHECK_INT(allocator->live, 1);
    rill__buffer_cleanup(&buffer);
}

static void test_shrink(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append_many(&buffer, 'x', 3000);
    rill__buffer_shrink(&buffer, 0);
    CHECK(buffer.block != NULL); /* not empty */
    (void)take(&buffer, 3000);
    rill__buffer_shrink(&buffer, 0);
    CHECK(buffer.block != NULL); /* pinned */
    rill__buffer_unpin(&buffer);
    rill__buffer_shrink(&buffer, 4096);
    CHECK(buffer.block != NULL); /* not larger */
    rill__buffer_shrink(&buffer, 1024);
    CHECK(buffer.block == NULL);
    CHECK_INT(allocator->live, 0);
    append(&buffer, "again");
    CHECK_STR(live(&buffer), "again");
    rill__buffer_cleanup(&buffer);
}

/* Feeding a view of the buffer to itself. */
static void test_append_own_view(void)
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append_many(&buffer, 'x', 1000);
    struct rill_bytes view = take(&buffer, 1000);
    CHECK_INT(rill__buffer_append(&buffer, view.ptr, view.len), 0);
    CHECK_INT((long long)rill__buffer_length(&buffer), 1000);
    CHECK(rill__buffer_data(&buffer)[999] == 'x');
    rill__buffer_cleanup(&buffer);
}

static void test_no_memory(void)
{
    struct rill__buffer buffer;
    struct rill_bytes view;
    char *space;
    size_t size;

    rill__buffer_init(&buffer);
    allocator->fail_at = allocator->calls + 1;
    allocator->fail_on = true;
    CHECK_INT(rill__buffer_append(&buffer, "x", 1), RILL_ENOMEM);
    allocator->fail_at = 0;
    append_many(&buffer, 'a', 1000);
    allocator->fail_at = allocator->calls + 1;
    CHECK_INT(rill__buffer_space(&buffer, 5000, &space, &size), RILL_ENOMEM); /* growing */
    rill__buffer_hold(&buffer, 10);
    CHECK_INT(rill__buffer_take(&buffer, 5, &view), RILL_ENOMEM);
    CHECK_INT((long long)rill__buffer_length(&buffer), 990);
    rill__buffer_put_back_held(&buffer);
    CHECK_INT(rill__buffer_take(&buffer, 5, &view), 0);
    CHECK_INT(rill__buffer_space(&buffer, 5000, &space, &size), RILL_ENOMEM); /* replacing */
    CHECK_STR(rig_text(view), "aaaaa");
    CHECK_INT((long long)rill__buffer_length(&buffer), 995);
    allocator->fail_at = 0;
    CHECK_INT(rill__buffer_space(&buffer, SIZE_MAX - 3, &space, &size), RILL_ENOMEM);
    rill__buffer_cleanup(&buffer);
    allocator->fail_on = false;
}

static void with_three_bytes(void (*use)(struct rill__buffer *buffer))
{
    struct rill__buffer buffer;
    rill__buffer_init(&buffer);
    append(&buffer, "abc");
    use(&buffer);
}

static void overfill(struct rill__buffer *buffer)
{
    rill__buffer_filled(buffer, 1022);
}

static void overdiscard(struct rill__buffer *buffer)
{
    rill__buffer_discard(buffer, 4);
}

static void overtake(struct rill__buffer *buffer)
{
    struct rill_bytes view;
    (void)rill__buffer_take(buffer, 4, &view);
}

static void overhold(struct rill__buffer *buffer)
{
    rill__buffer_hold(buffer, 4);
}

static void abort_filled(void)
{
    with_three_bytes(overfill);
}

static void abort_discard(void)
{
    with_three_bytes(overdiscard);
}

static void abort_take(void)
{
    with_three_bytes(overtake);
}

static void abort_hold(void)
{
    with_three_bytes(overhold);
}

static void test_invariants(void)
{
    CHECK(rig_aborts(abort_filled, "buffer->capacity - buffer->tail"));
    CHECK(rig_aborts(abort_discard, "count <= rill__buffer_length(buffer)"));
    CHECK(rig_aborts(abort_take, "count <= rill__buffer_length(buffer)"));
    CHECK(rig_aborts(abort_hold, "count <= rill__buffer_length(buffer)"));
}

int main(void)
{
    allocator = rig_use_allocator();
    test_empty();
    test_queue();
    test_space_is_all_there_is();
    test_views_stay();
    test_compaction();
    test_steady_path_allocates_nothing();
    test_moves_are_amortised();
    test_growth_is_bounded();
    test_held();
    test_take_beside_held();
    test_shrink();
    test_append_own_view();
    test_no_memory();
    CHECK_INT(allocator->live, 0);
    test_invariants();
    return check_report("buffer_test");
}
