/* SPDX-License-Identifier: MIT
 *
 * The write side's water marks and the decision of a drain (specification sections 3 and 2.2).
 */
#include "sansio/flow_control.h"

#include <limits.h>
#include <stdint.h>

/* A mark as the comparisons use it; a number beyond size_t acts as "never reached". */
static size_t mark_of(long long value)
{
    return (unsigned long long)value > SIZE_MAX ? SIZE_MAX : (size_t)value;
}

/* 4 * low, as far as a long long reaches. Python's integers have no end, but no buffer gets that
 * big. */
static long long four_times(long long low)
{
    if (low > LLONG_MAX / 4) {
        return LLONG_MAX;
    }
    return low < LLONG_MIN / 4 ? LLONG_MIN : low * 4;
}

/* Python's `high // 4`: rounds down, which is visible in the text of R-305 when high is negative.
 */
static long long quarter_of(long long high)
{
    return high / 4 - (high % 4 < 0 ? 1 : 0);
}

void rill__water_init(struct rill__water *water, size_t high_default)
{
    *water = (struct rill__water){.high = high_default, .low = high_default / 4};
}

const struct rill_error *rill__water_set(struct rill__water *water, const long long *high,
                                         const long long *low, size_t high_default)
{
    long long new_high;
    if (high != NULL) {
        new_high = *high;
    } else if (low != NULL) {
        new_high = four_times(*low);
    } else {
        new_high = (long long)high_default;
    }
    long long new_low = low != NULL ? *low : quarter_of(new_high); /* */

    if (new_high < new_low || new_low < 0) { /* */
        return rill_error_new(RILL_EVALUE, "high (%lld) must be >= low (%lld) must be >= 0",
                              new_high, new_low);
    }
    water->high = mark_of(new_high);
    water->low = mark_of(new_low);
    return NULL;
}

enum rill__flow_event rill__water_grew(struct rill__water *water, size_t size)
{
    /* Strictly above, for TLS too. */
    if (water->paused || size <= water->high) {
        return RILL__FLOW_KEEP;
    }
    water->paused = true;
    return RILL__FLOW_PAUSE;
}

enum rill__flow_event rill__water_shrank(struct rill__water *water, size_t size)
{
    if (!water->paused || size > water->low) { /* */
        return RILL__FLOW_KEEP;
    }
    water->paused = false;
    return RILL__FLOW_RESUME;
}

enum rill__drain rill__drain_decide(const struct rill__flow *flow, bool reader_has_exception,
                                    bool transport_is_closing, bool yielded)
{
    /* The first two tests are passed once: an error recorded during the yield is the next drain's
     * (R-253). */
    if (!yielded && reader_has_exception) {
        return RILL__DRAIN_RAISE;
    }
    if (!yielded && transport_is_closing) {
        return RILL__DRAIN_YIELD;
    }
    if (flow->lost) {
        return RILL__DRAIN_LOST;
    }
    return flow->paused ? RILL__DRAIN_WAIT : RILL__DRAIN_READY;
}
