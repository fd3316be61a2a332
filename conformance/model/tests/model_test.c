/* SPDX-License-Identifier: MIT
 *
 * The model gives the answers of the specification's worked cases (R-1U, R-1V), and scripts survive
 * their line.
 */
#include "model.h"

#include <check.h>

struct row {
    int line;
    const char *script;
    const char *want_last; /* the observation of the last operation */
};

static const struct row rows[] = {
    /* 1.5, limit 3: buffer, separator, perhaps EOF. */
    {__LINE__, "3 n f:123%0A u:%0A", "1=3132330a///"},
    {__LINE__, "3 n f:1234%0A u:%0A",
     "1!LimitOverrunError,consumed=4,Separator is found, but chunk is longer than limit/"
     "313233340a//"},
    {__LINE__, "3 n f:123 u:%0A", "/313233/W/"},
    {__LINE__, "3 n f:1234 e u:%0A",
     "1!LimitOverrunError,consumed=4,Separator is not found, and chunk exceed the limit/"
     "31323334/E/"},
    {__LINE__, "3 n f:123 e u:%0A",
     "1!IncompleteReadError,partial=313233,expected=-1,3 bytes read on a total of undefined "
     "expected bytes//EA/"},
    {__LINE__, "3 n f:123%0D%0A u:%0D%0A", "1=3132330d0a///"},
    {__LINE__, "3 n f:123%0D u:%0D%0A", "/3132330d/W/"},
    {__LINE__, "3 n f:12345 u:%0D%0A",
     "1!LimitOverrunError,consumed=4,Separator is not found, and chunk exceed the limit/"
     "3132333435//"},
    {__LINE__, "1 n f:ab u:abcdef", "/6162/W/"},
    {__LINE__, "64 n u:aaa f:QWEaa f:XYa f:aa", "1=51574561615859616161///"},
    /* 1.6 */
    {__LINE__, "64 n f:x%0D%0Ay t:%0D,%0D%0A", "1=780d/0a79//"},
    {__LINE__, "64 n f:x%0D%0Ay t:%0A,%0D%0A", "1=780d0a/79//"},
    {__LINE__, "64 n f:ABCDEFG t:DEF,BCDE", "1=4142434445/4647//"},
    {__LINE__, "3 n f:some%20dataA t:ome%20dataA", "1=736f6d65206461746141///"},
    {__LINE__, "3 n f:some%20data t:Z,LONGSEP", "/736f6d652064617461/W/"},
    {__LINE__, "1 n f:dat t:Z,LONGSEP", "/646174/W/"},
    {__LINE__, "64 n f:a t", "1!ValueError,Separator should contain at least one element/61//"},
    /* 1.7 and 1.8 */
    {__LINE__, "2 p f:abcd", "/61626364//"},
    {__LINE__, "2 p f:abcde", "/6162636465/P/P"},
    {__LINE__, "2 i f:abcde", "/6162636465//P"},
    {__LINE__, "2 p f:abcdefgh n:100", "/6162636465666768/W/R"},
    {__LINE__, "2 p f:abcde r:2", "1=6162/636465/P/"},
    {__LINE__, "2 p f:abcde r:3", "1=616263/6465//R"},
    {__LINE__, "2 n f:abcde%0Ax l",
     "1!ValueError,Separator is found, but chunk is longer than limit/78//"},
    {__LINE__, "2 n f:abcde l",
     "1!ValueError,Separator is not found, and chunk exceed the limit///"},
    {__LINE__, "2 n n:5 l",
     "2!RuntimeError,readuntil() called while another coroutine is already waiting for incoming "
     "data//W/"},
};

/* The observation of the last operation. */
static const char *play(const char *line, char *text, size_t size)
{
    static struct script script;
    static struct model model;
    static struct observation seen;
    char storage[128];
    FILE *out = fmemopen(text, size, "w");

    if (out == NULL || !script_parse(line, storage, &script)) {
        return "no script";
    }
    model_init(&model, &script, false, MODEL_RIGHT);
    for (size_t i = 0; i < script.count; i++) {
        model_step(&model, &script.ops[i], &seen);
    }
    observation_print(&seen, out);
    fclose(out);
    return text;
}

static void check_rows(void)
{
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[512];
        CHECK_STR_ROW(rows[i].line, play(rows[i].script, text, sizeof text), rows[i].want_last);
    }
}

static void check_lines(void)
{
    static const char *const bad[] = {"",          "0 n",           "65 n",      "1 q",     "1 n y",
                                      "1 n f",     "1 n f:%",       "1 n r:128", "1 n r:x", "1 n u",
                                      "1 n u:a,b", "1 n t:a,b,c,d", "1 n e:1"};
    static struct script script;
    char storage[128];

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        CHECK(!script_parse(bad[i], storage, &script));
    }
    const char *line = "4 i f: f:a%00 e x k c r:-1 n:7 l u:%FF t t: t:,ab";
    char text[128] = "";
    CHECK(script_parse(line, storage, &script));
    FILE *out = fmemopen(text, sizeof text, "w");
    if (out != NULL) {
        script_print(&script, out);
        fclose(out);
    }
    CHECK_STR(text, line);
}

int main(void)
{
    check_rows();
    check_lines();
    return check_report("model_test");
}
