/* SPDX-License-Identifier: MIT
 *
 * The queue of bytes to send.
 */
#include "streams/write_queue.h"

#include "sansio/memory.h"

void rill__write_queue_init(struct rill__write_queue *queue)
{
    rill__buffer_init(&queue->copied);
    rill__list_init(&queue->lent);
}

void rill__write_queue_cleanup(struct rill__write_queue *queue)
{
    rill_assert(rill__list_empty(&queue->lent));
    rill__buffer_cleanup(&queue->copied);
}

int rill__write_queue_copy(struct rill__write_queue *queue, const struct rill_bytes *parts,
                           size_t count, size_t skip)
{
    size_t total = 0;
    size_t size;
    char *space;

    for (size_t i = 0; i < count; i++) {
        total += parts[i].len;
    }
    if (rill__buffer_space(&queue->copied, total - skip, &space, &size) < 0) {
        return RILL_ENOMEM;
    }
    for (size_t i = 0; i < count; i++) {
        const size_t drop = skip < parts[i].len ? skip : parts[i].len;
        skip -= drop;
        if (parts[i].len > drop) { /* has room: cannot fail */
            rill__buffer_append(&queue->copied, parts[i].ptr + drop, parts[i].len - drop);
        }
    }
    return 0;
}

void rill__write_queue_lend(struct rill__write_queue *queue, struct rill__lent *piece)
{
    piece->copied_before = rill__buffer_length(&queue->copied) - queue->copied_between;
    queue->copied_between += piece->copied_before;
    queue->lent_bytes += piece->len;
    rill__list_append(&queue->lent, &piece->link);
}

size_t rill__write_queue_parts(const struct rill__write_queue *queue, struct rill_bytes *parts,
                               size_t most)
{
    const char *copied = rill__buffer_data(&queue->copied);
    size_t left = rill__buffer_length(&queue->copied);
    size_t count = 0;

    for (struct rill__link *link = rill__list_first(&queue->lent);
         link != NULL && count + 2 <= most; link = rill__list_after(&queue->lent, link)) {
        const struct rill__lent *piece = rill__container(link, struct rill__lent, link);
        if (piece->copied_before > 0) {
            parts[count++] = (struct rill_bytes){copied, piece->copied_before};
            copied += piece->copied_before;
            left -= piece->copied_before;
        }
        parts[count++] = (struct rill_bytes){piece->ptr, piece->len};
        if (rill__list_after(&queue->lent, link) != NULL && count + 2 > most) {
            return count;
        }
    }
    if (left > 0 && count < most) {
        parts[count++] = (struct rill_bytes){copied, left};
    }
    return count;
}

/* The first piece and what goes before it; returns how many of `count` bytes that took. */
static size_t discard_first(struct rill__write_queue *queue, struct rill__lent *piece, size_t count,
                            struct rill__list *finished)
{
    const size_t copied = count < piece->copied_before ? count : piece->copied_before;
    const size_t rest = count - copied;
    const size_t lent = rest < piece->len ? rest : piece->len;

    rill__buffer_discard(&queue->copied, copied);
    piece->copied_before -= copied;
    queue->copied_between -= copied;
    piece->ptr += lent;
    piece->len -= lent;
    queue->lent_bytes -= lent;
    if (piece->copied_before == 0 && piece->len == 0) {
        rill__list_remove(&piece->link);
        rill__list_append(finished, &piece->link);
    }
    return copied + lent;
}

void rill__write_queue_discard(struct rill__write_queue *queue, size_t count,
                               struct rill__list *finished)
{
    struct rill__link *link;
    while (count > 0 && (link = rill__list_first(&queue->lent)) != NULL) {
        count -=
            discard_first(queue, rill__container(link, struct rill__lent, link), count, finished);
    }
    rill__buffer_discard(&queue->copied, count);
    if (rill__buffer_length(&queue->copied) == 0) {
        rill__buffer_shrink(&queue->copied, 0);
    }
}

void rill__lent_finish(struct rill__list *finished)
{
    struct rill__link *link;
    while ((link = rill__list_first(finished)) != NULL) {
        struct rill__lent *piece = rill__container(link, struct rill__lent, link);
        rill__list_remove(link);
        piece->done(piece->arg);
        rill__free(piece);
    }
}
