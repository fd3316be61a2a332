/* SPDX-License-Identifier: MIT
 *
 * repr() of str and bytes as Python 3.13 prints it, and of addresses.
 */
#include <sys/socket.h>

#include "check.h"
#include "net/net.h"

static const struct {
    int line;
    const char *bytes;
    size_t len;
    const char *want_str; /* repr(os.fsdecode(bytes)) */
    const char *want_bytes;
} rows[] = {
    {__LINE__, "", 0, "''", "b''"},
    {__LINE__, "/run/x", 6, "'/run/x'", "b'/run/x'"},
    {__LINE__, "it's", 4, "\"it's\"", "b\"it's\""},
    {__LINE__, "a'\"b", 4, "'a\\'\"b'", "b'a\\'\"b'"},
    {__LINE__, "\0\t\n\r\\\x7f", 6, "'\\x00\\t\\n\\r\\\\\\x7f'", "b'\\x00\\t\\n\\r\\\\\\x7f'"},
    {__LINE__, "\xc3\xa9\xff", 3, "'\xc3\xa9\\udcff'", "b'\\xc3\\xa9\\xff'"},
    {__LINE__, "\xc2\x80\xc2\xad", 4, "'\\x80\\xad'", "b'\\xc2\\x80\\xc2\\xad'"},
    {__LINE__, "\xc0\x80", 2, "'\\udcc0\\udc80'", "b'\\xc0\\x80'"},                 /* overlong */
    {__LINE__, "\xed\xa0\x80", 3, "'\\udced\\udca0\\udc80'", "b'\\xed\\xa0\\x80'"}, /* surrogate */
    {__LINE__, "\xf0\x9f\x98\x80\xe2\x82", 6, "'\xf0\x9f\x98\x80\\udce2\\udc82'",
     "b'\\xf0\\x9f\\x98\\x80\\xe2\\x82'"},
};

static void test_reprs(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct rill_bytes bytes = {rows[i].bytes, rows[i].len};
        struct rill__text str = {0};
        struct rill__text raw = {0};
        rill__text_add_str_repr(&str, bytes);
        rill__text_add_bytes_repr(&raw, bytes);
        CHECK_STR_ROW(rows[i].line, rill__text_of(&str), rows[i].want_str);
        CHECK_STR_ROW(rows[i].line, rill__text_of(&raw), rows[i].want_bytes);
        rill__text_cleanup(&str);
        rill__text_cleanup(&raw);
    }
}

/* Cut to the room there is; the length is what it wanted. */
static void test_addresses(void)
{
    const struct rill_address v4 = {.family = AF_INET, .host = "127.0.0.1", .port = 80};
    const struct rill_address v6 = {
        .family = AF_INET6, .host = "::1", .port = 8, .flowinfo = 1, .scope_id = 2};
    const struct rill_address path = {.family = AF_UNIX, .path = "x", .path_len = 1};
    const struct rill_address abstract = {.family = AF_UNIX, .path = "\0x", .path_len = 2};
    const struct rill_address none = {0};
    char text[64];

    CHECK_INT((long long)rill_address_repr(&v4, text, sizeof text), 17);
    CHECK_STR(text, "('127.0.0.1', 80)");
    CHECK_INT((long long)rill_address_repr(&v4, text, 5), 17);
    CHECK_STR(text, "('12");
    rill_address_repr(&v6, text, sizeof text);
    CHECK_STR(text, "('::1', 8, 1, 2)");
    rill_address_repr(&path, text, sizeof text);
    CHECK_STR(text, "'x'");
    rill_address_repr(&abstract, text, sizeof text);
    CHECK_STR(text, "b'\\x00x'");
    rill_address_repr(&none, text, sizeof text);
    CHECK_STR(text, "None");
}

int main(void)
{
    test_reprs();
    test_addresses();
    return check_report("text");
}
