/* SPDX-License-Identifier: MIT
 *
 * The order of addresses for happy eyeballs.
 */
#include <string.h>

#include "net/race.h"
#include "sansio/memory.h"

/* Where the next unused address of `family` is, from `from` on; list->count when there is none. */
static size_t next_of(const struct rill__address_list *list, const bool *used, int family,
                      size_t from)
{
    size_t i = from;
    while (i < list->count && (used[i] || list->items[i].family != family)) {
        i++;
    }
    return i;
}

struct order {
    struct rill__address_list *list;
    struct rill__endpoint_address *to;
    size_t count;
    bool *used;
};

static bool take(struct order *order, int family)
{
    const size_t i = next_of(order->list, order->used, family, 0);
    if (i == order->list->count) {
        return false;
    }
    order->used[i] = true;
    order->to[order->count++] = order->list->items[i];
    return true;
}

/* One address of each family in the order of their first appearance. */
static void take_round(struct order *order)
{
    for (size_t i = 0; i < order->list->count; i++) {
        bool seen = false;
        for (size_t j = 0; j < i; j++) {
            seen = seen || order->list->items[j].family == order->list->items[i].family;
        }
        if (!seen) {
            take(order, order->list->items[i].family);
        }
    }
}

int rill__interleave(struct rill__address_list *list, long long first)
{
    struct order order = {.list = list};

    if (list->count == 0) {
        return 0;
    }
    order.to = rill__alloc(list->count * sizeof order.to[0]);
    order.used = rill__alloc_zeroed(list->count * sizeof order.used[0]);
    if (order.to == NULL || order.used == NULL) {
        rill__free(order.to);
        rill__free(order.used);
        return RILL_ENOMEM;
    }
    for (long long i = 1; i < first && take(&order, list->items[0].family); i++) {
    }
    while (order.count < list->count) {
        take_round(&order);
    }
    memcpy(list->items, order.to, list->count * sizeof order.to[0]);
    rill__free(order.to);
    rill__free(order.used);
    return 0;
}
