/* SPDX-License-Identifier: MIT
 *
 * A doubly linked list whose links live inside its members: no allocation, removal in O(1) from
 * whichever list holds it.
 */
#ifndef RILL__LIST_H
#define RILL__LIST_H

#include <stdbool.h>
#include <stddef.h>

struct rill__link {
    struct rill__link *prev; /* NULL: in no list */
    struct rill__link *next;
};

/* The head of a list is a link of its own; an empty list points at itself. */
struct rill__list {
    struct rill__link head;
};

/* The struct of `type` that holds `pointer` as its `member`. */
#define rill__container(pointer, type, member) ((type *)((char *)(pointer)-offsetof(type, member)))

static inline void rill__list_init(struct rill__list *list)
{
    list->head.prev = &list->head;
    list->head.next = &list->head;
}

static inline bool rill__list_empty(const struct rill__list *list)
{
    return list->head.next == &list->head;
}

static inline bool rill__linked(const struct rill__link *link)
{
    return link->prev != NULL;
}

static inline void rill__list_append(struct rill__list *list, struct rill__link *link)
{
    link->prev = list->head.prev;
    link->next = &list->head;
    list->head.prev->next = link;
    list->head.prev = link;
}

static inline void rill__list_remove(struct rill__link *link)
{
    if (link->prev == NULL) {
        return;
    }
    link->prev->next = link->next;
    link->next->prev = link->prev;
    link->prev = NULL;
    link->next = NULL;
}

/* The first member, or NULL. */
static inline struct rill__link *rill__list_first(const struct rill__list *list)
{
    return rill__list_empty(list) ? NULL : list->head.next;
}

/* The member behind `link`, or NULL. */
static inline struct rill__link *rill__list_after(const struct rill__list *list,
                                                  const struct rill__link *link)
{
    return link->next == &list->head ? NULL : link->next;
}

/* Everything in `from` goes to the end of `to`, in order. */
static inline void rill__list_splice(struct rill__list *to, struct rill__list *from)
{
    if (rill__list_empty(from)) {
        return;
    }
    from->head.next->prev = to->head.prev;
    to->head.prev->next = from->head.next;
    from->head.prev->next = &to->head;
    to->head.prev = from->head.prev;
    rill__list_init(from);
}

#endif
