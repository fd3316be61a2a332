/* SPDX-License-Identifier: MIT
 *
 * UTF-8 as CPython's strict decoder sees it: which part of a broken sequence is reported, and in
 * which words (Unicode's table 3-7: the second byte of some sequences has a smaller range).
 */
#include "utf8.h"

#include <rill/rill.h>

/* What a first byte promises: how many bytes, and where the second one must lie. */
struct lead {
    unsigned char first;
    unsigned char last;
    unsigned char size;
    unsigned char second_min;
    unsigned char second_max;
};

static const struct lead leads[] = {
    {0xC2, 0xDF, 2, 0x80, 0xBF}, /* C0 and C1 would only spell ASCII once more */
    {0xE0, 0xE0, 3, 0xA0, 0xBF}, /* shorter forms exist below */
    {0xE1, 0xEC, 3, 0x80, 0xBF}, {0xED, 0xED, 3, 0x80, 0x9F}, /* surrogates above */
    {0xEE, 0xEF, 3, 0x80, 0xBF}, {0xF0, 0xF0, 4, 0x90, 0xBF}, /* shorter forms exist below */
    {0xF1, 0xF3, 4, 0x80, 0xBF}, {0xF4, 0xF4, 4, 0x80, 0x8F}, /* U+10FFFF is the last */
};

static const struct lead *lead_of(unsigned char byte)
{
    for (size_t i = 0; i < sizeof leads / sizeof leads[0]; i++) {
        if (byte >= leads[i].first && byte <= leads[i].last) {
            return &leads[i];
        }
    }
    return NULL;
}

static struct utf8_step broken(size_t size, const char *problem)
{
    const struct utf8_step step = {.size = size, .problem = problem};
    return step;
}

struct utf8_step utf8_step(struct rill_bytes data, size_t offset)
{
    const unsigned char *const bytes = (const unsigned char *)data.ptr + offset;
    const size_t left = data.len - offset;
    const struct lead *const lead = lead_of(bytes[0]);
    struct utf8_step step = {.code_point = bytes[0], .size = 1};

    if (bytes[0] < 0x80) {
        return step;
    }
    if (lead == NULL) {
        return broken(1, "invalid start byte");
    }
    step.size = lead->size;
    step.code_point = bytes[0] & (0x7Fu >> lead->size);
    for (size_t i = 1; i < lead->size; i++) {
        const unsigned char min = i == 1 ? lead->second_min : 0x80;
        const unsigned char max = i == 1 ? lead->second_max : 0xBF;
        if (i == left) {
            return broken(left, "unexpected end of data");
        }
        if (bytes[i] < min || bytes[i] > max) {
            return broken(i, "invalid continuation byte");
        }
        step.code_point = (step.code_point << 6) | (bytes[i] & 0x3Fu);
    }
    return step;
}

static const struct rill_error *decode_error(struct rill_bytes data, size_t start,
                                             const struct utf8_step *step)
{
    if (step->size == 1) {
        return rill_error_new(RILL_EVALUE,
                              "'utf-8' codec can't decode byte 0x%02x in position %zu: %s",
                              (unsigned)(unsigned char)data.ptr[start], start, step->problem);
    }
    return rill_error_new(RILL_EVALUE, "'utf-8' codec can't decode bytes in position %zu-%zu: %s",
                          start, start + step->size - 1, step->problem);
}

int utf8_decode(struct rill_bytes data, struct rill_bytes *text)
{
    for (size_t offset = 0; offset < data.len;) {
        const struct utf8_step step = utf8_step(data, offset);
        if (step.problem != NULL) {
            return rill_task_fail(decode_error(data, offset, &step));
        }
        offset += step.size;
    }
    *text = data;
    return 0;
}
