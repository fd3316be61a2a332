/* SPDX-License-Identifier: MIT
 *
 * Scripts, changed by whole operations.
 */
#include "simulated/mutator.h"

#include <stdbool.h>
#include <string.h>

#include "reader/dice.h"

enum { WHO, AMOUNT, REST, OP_BYTES };
enum { KIND = 31 }; /* of the first byte; the rest of it says who */

/* The script of an input, without what is no whole operation. */
struct draft {
    struct dice dice;
    uint8_t *ops;
    size_t count;
    size_t most; /* operations that there is room for */
};

static struct draft draft_of(unsigned int seed, uint8_t *data, size_t size, size_t max_size)
{
    return (struct draft){
        .dice = dice_new(seed),
        .ops = data + mutator_head,
        .count = (size - mutator_head) / OP_BYTES,
        .most = (max_size - mutator_head) / OP_BYTES,
    };
}

static uint8_t *op_at(const struct draft *self, size_t index)
{
    return self->ops + index * OP_BYTES;
}

static uint8_t throw_byte(struct draft *self)
{
    return (uint8_t)dice_throw(&self->dice, 256);
}

/* Sizes and times of which something depends: nothing, one, the limits that the targets set. */
static uint8_t throw_amount(struct draft *self)
{
    static const uint8_t known[] = {0, 1, 2, 3, 4, 5, 8, 10, 11, 20, 21, 64, 100, 216, 240, 255};
    return dice_throw(&self->dice, 2) == 0 ? throw_byte(self)
                                           : known[dice_throw(&self->dice, sizeof known)];
}

static void drop(struct draft *self)
{
    const size_t from = dice_throw(&self->dice, self->count);
    const size_t most = self->count - from;
    const size_t some = 1 + dice_throw(&self->dice, most < 4 ? most : 4);
    memmove(op_at(self, from), op_at(self, from + some), (most - some) * OP_BYTES);
    self->count -= some;
}

static void insert(struct draft *self, const uint8_t *op)
{
    uint8_t copy[OP_BYTES];
    const size_t at = dice_throw(&self->dice, self->count + 1);
    memcpy(copy, op, sizeof copy);
    memmove(op_at(self, at + 1), op_at(self, at), (self->count - at) * OP_BYTES);
    memcpy(op_at(self, at), copy, sizeof copy);
    self->count++;
}

static void insert_thrown(struct draft *self)
{
    const uint8_t op[OP_BYTES] = {throw_byte(self), throw_amount(self), throw_byte(self)};
    insert(self, op);
}

static void swap(struct draft *self)
{
    uint8_t copy[OP_BYTES];
    uint8_t *one = op_at(self, dice_throw(&self->dice, self->count));
    uint8_t *other = op_at(self, dice_throw(&self->dice, self->count));
    memcpy(copy, one, sizeof copy);
    memmove(one, other, sizeof copy);
    memcpy(other, copy, sizeof copy);
}

static void change(struct draft *self, enum mutation mutation)
{
    uint8_t *op = op_at(self, dice_throw(&self->dice, self->count));
    const uint8_t thrown = throw_byte(self);

    switch (mutation) {
    case MUTATION_DROP:
        drop(self);
        break;
    case MUTATION_REPEAT:
        insert(self, op);
        break;
    case MUTATION_SWAP:
        swap(self);
        break;
    case MUTATION_WHO:
        op[WHO] = (uint8_t)((thrown & ~KIND) | (op[WHO] & KIND));
        break;
    case MUTATION_WHAT:
        op[WHO] = (uint8_t)((op[WHO] & ~KIND) | (thrown & KIND));
        break;
    case MUTATION_AMOUNT:
        op[AMOUNT] = throw_amount(self);
        break;
    default:
        op[REST] = thrown;
        break;
    }
}

size_t mutator_apply(enum mutation mutation, unsigned int seed, uint8_t *data, size_t size,
                     size_t max_size)
{
    if (max_size < mutator_head + OP_BYTES) {
        return size < max_size ? size : max_size;
    }
    if (size < mutator_head) { /* what is missing is 0 */
        memset(data + size, 0, mutator_head - size);
        size = mutator_head;
    }
    while ((size - mutator_head) % OP_BYTES != 0 && size < max_size) {
        data[size++] = 0;
    }
    struct draft draft = draft_of(seed, data, size, max_size);
    const bool full = draft.count >= draft.most;
    if (draft.count == 0 || (mutation == MUTATION_INSERT && !full)) {
        insert_thrown(&draft);
    } else {
        const bool grows = mutation == MUTATION_INSERT || mutation == MUTATION_REPEAT;
        change(&draft, grows && full ? MUTATION_DROP : mutation);
    }
    return mutator_head + draft.count * OP_BYTES;
}

/* Takes operations out of the middle of a script that is longer than usual. */
static size_t shorten(struct dice *dice, uint8_t *data, size_t size)
{
    const size_t usual = mutator_head + (size_t)MUTATOR_USUAL * OP_BYTES;
    if (size <= usual) {
        return size;
    }
    size -= (size - mutator_head) % OP_BYTES; /* what is no whole operation goes first */
    const size_t from = mutator_head + dice_throw(dice, MUTATOR_USUAL + 1) * OP_BYTES;
    memmove(data + from, data + from + (size - usual), usual - from);
    return usual;
}

/* A loop of its own takes longer than the rest of a run: three of four go back to the one that is
 * kept. */
static void usually_kept(struct dice *dice, uint8_t *data, size_t size)
{
    enum { OWN_LOOP = 0xe0, CHANGED = 0x20 };
    if (size > 0 && (data[0] & OWN_LOOP) == OWN_LOOP && dice_throw(dice, 4) != 0) {
        data[0] ^= CHANGED;
    }
}

/* Nearly always. */
static size_t usually_short(struct dice *dice, uint8_t *data, size_t size)
{
    return dice_throw(dice, MUTATOR_LONG_ONES) == 0 ? size : shorten(dice, data, size);
}

size_t mutator_mutate(uint8_t *data, size_t size, size_t max_size, unsigned int seed,
                      plain_mutator *plain)
{
    struct dice dice = dice_new(seed);
    if (dice_throw(&dice, 2) == 0) {
        size = plain(data, size, max_size);
    } else {
        const enum mutation mutation = (enum mutation)dice_throw(&dice, MUTATIONS);
        size = mutator_apply(mutation, (unsigned int)dice_throw(&dice, UINT32_MAX), data, size,
                             max_size);
    }
    usually_kept(&dice, data, size);
    return usually_short(&dice, data, size);
}

/* Bytes of a cut between two operations. */
static size_t throw_cut(struct dice *dice, size_t size)
{
    const size_t count = size > mutator_head ? (size - mutator_head) / OP_BYTES : 0;
    return mutator_head + dice_throw(dice, count + 1) * OP_BYTES;
}

size_t mutator_cross(const uint8_t *a, size_t a_size, const uint8_t *b, size_t b_size, uint8_t *out,
                     size_t max_size, unsigned int seed)
{
    struct dice dice = dice_new(seed);
    const size_t until = throw_cut(&dice, a_size);
    const size_t from = throw_cut(&dice, b_size);

    if (a_size < until || b_size < from || until + (b_size - from) > max_size) {
        const size_t most = a_size < max_size ? a_size : max_size;
        memcpy(out, a, most);
        return most;
    }
    memcpy(out, a, until);
    memcpy(out + until, b + from, b_size - from);
    if (dice_throw(&dice, 4) == 0) {
        memcpy(out, b, mutator_head);
    }
    return usually_short(&dice, out, until + (b_size - from));
}
