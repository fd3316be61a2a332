/* SPDX-License-Identifier: MIT
 *
 * From names to one connected descriptor: resolution, the order of attempts, and the error of a
 * failure (5.3, 5.4).
 */
#include <string.h>

#include "loop/tasks.h"
#include "net/race.h"
#include "sansio/memory.h"

/* What one call knows; a race's attempts may outlive the caller. */
struct dial {
    struct rill_loop *loop;
    struct rill__address_list remotes;
    struct rill__address_list locals;
    bool has_locals;
    struct rill__errors *errors; /* of each attempt, in the order of their start */
    size_t started;
    const struct rill_error *fatal; /* what is no OSError and ends everything */
    size_t references;
};

static void dial_hold(void *arg)
{
    struct dial *dial = arg;
    dial->references++;
}

static void dial_release(void *arg)
{
    struct dial *dial = arg;
    if (--dial->references > 0) {
        return;
    }
    for (size_t i = 0; i < dial->started; i++) {
        rill__errors_cleanup(&dial->errors[i]);
    }
    rill__free(dial->errors);
    rill_error_unref(dial->fatal);
    rill__address_list_cleanup(&dial->remotes);
    rill__address_list_cleanup(&dial->locals);
    rill__free(dial);
}

static void dial_discard(void *arg, int winner)
{
    const struct dial *dial = arg;
    rill__close(dial->loop, winner);
}

/* */
static int resolve(struct rill_loop *loop, const char *host, const char *port,
                   const struct rill_connection_options *options, struct rill__address_list *list)
{
    const int rc =
        rill__resolve(loop, host, port, options->family, options->proto, options->flags, list);
    if (rc == 0 && list->count == 0) {
        return rill__fail(rill_error_from_errno_text(0, "getaddrinfo() returned empty list"));
    }
    return rc;
}

static int resolve_all(struct dial *dial, const char *host, const char *port,
                       const struct rill_connection_options *options)
{
    int rc = resolve(dial->loop, host, port, options, &dial->remotes);
    if (rc == 0 && (options->local_host != NULL || options->local_port != NULL)) {
        dial->has_locals = true;
        rc = resolve(dial->loop, options->local_host, options->local_port, options, &dial->locals);
    }
    if (rc < 0) {
        return rc;
    }
    const long long standard = options->happy_eyeballs_delay.given ? 1 : 0; /* */
    const long long first = options->interleave.given ? options->interleave.value : standard;
    if (first != 0 && rill__interleave(&dial->remotes, first) < 0) {
        return rill__fail_no_memory();
    }
    dial->errors = rill__alloc_zeroed(dial->remotes.count * sizeof dial->errors[0]);
    return dial->errors != NULL ? 0 : rill__fail_no_memory();
}

static bool is_fatal(int code)
{
    return code == RILL_EOVERFLOW || code == RILL_ENOMEM;
}

static int attempt(void *arg, size_t index)
{
    struct dial *dial = arg;
    const struct rill_error *error = NULL;
    struct rill__errors *errors = &dial->errors[dial->started++];
    const int rc = rill__connect(dial->loop, &dial->remotes.items[index],
                                 dial->has_locals ? &dial->locals : NULL, errors, &error);

    if (is_fatal(rc) && dial->fatal == NULL) {
        dial->fatal = error;
    } else {
        rill_error_unref(error);
    }
    return rc;
}

/* Strictly one after another, the first success wins; what is no OSError ends it (R-545,
 * */
static int attempt_in_turn(struct dial *dial, int *fd)
{
    int rc = RILL_EOS;
    for (size_t i = 0; i < dial->remotes.count && rc < 0; i++) {
        rc = attempt(dial, i);
        if (rc == RILL_ECANCELLED) { /* the task knows, with its text */
            return rc;
        }
        if (is_fatal(rc)) {
            break;
        }
    }
    *fd = rc;
    return 0;
}

static int attempt_staggered(struct dial *dial, struct rill_opt_real delay, int *fd)
{
    const struct rill__race_plan plan = {
        .count = dial->remotes.count,
        .delay = delay,
        .attempt = attempt,
        .hold = dial_hold,
        .release = dial_release,
        .discard = dial_discard,
        .arg = dial,
    };
    return rill__race(&plan, fd);
}

/* -- the error of a failure ------------------------------------------------------------------ */

static bool same_texts(const struct rill__errors *all)
{
    for (size_t i = 1; i < all->count; i++) {
        if (strcmp(all->items[0]->text, all->items[i]->text) != 0) {
            return false;
        }
    }
    return true;
}

/* `Multiple exceptions: text1, text2`, without errno. */
static const struct rill_error *join_texts(const struct rill__errors *all)
{
    size_t size = 1;
    size_t used = 0;
    for (size_t i = 0; i < all->count; i++) {
        size += strlen(all->items[i]->text) + 2;
    }
    char *text = rill__alloc(size);
    if (text == NULL) {
        return rill_error_no_memory();
    }
    for (size_t i = 0; i < all->count; i++) {
        const size_t length = strlen(all->items[i]->text);
        memcpy(text + used, i > 0 ? ", " : "", i > 0 ? 2 : 0);
        used += i > 0 ? 2 : 0;
        memcpy(text + used, all->items[i]->text, length);
        used += length;
    }
    text[used] = '\0';
    const struct rill_error *error = rill_error_from_errno_text(0, "Multiple exceptions: %s", text);
    rill__free(text);
    return rill_error_with_list(error, all->items, all->count); /* */
}

/* */
static const struct rill_error *merge(const struct rill__errors *all, bool as_group)
{
    if (as_group) {
        return rill_error_group("create_connection failed", all->items, all->count);
    }
    if (all->count == 0) {
        return rill_error_no_memory();
    }
    return same_texts(all) ? rill_error_ref(all->items[0]) : join_texts(all);
}

static int fail(struct dial *dial, bool as_group)
{
    struct rill__errors all = {0};
    int rc = 0;

    if (dial->fatal != NULL) {
        return rill__fail_ref(dial->fatal);
    }
    for (size_t i = 0; i < dial->started && rc == 0; i++) {
        for (size_t j = 0; j < dial->errors[i].count && rc == 0; j++) {
            rc = rill__errors_add(&all, rill_error_ref(dial->errors[i].items[j]));
        }
    }
    rc = rill__fail(merge(&all, as_group));
    rill__errors_cleanup(&all);
    return rc;
}

int rill__dial(struct rill_loop *loop, const char *host, const char *port,
               const struct rill_connection_options *options)
{
    struct dial *dial = rill__alloc_zeroed(sizeof *dial);
    int fd = -1;

    if (dial == NULL) {
        return rill__fail_no_memory();
    }
    dial->loop = loop;
    dial->references = 1;
    int rc = resolve_all(dial, host, port, options);
    if (rc == 0) {
        rc = options->happy_eyeballs_delay.given
                 ? attempt_staggered(dial, options->happy_eyeballs_delay, &fd)
                 : attempt_in_turn(dial, &fd);
    }
    if (rc == 0) {
        rc = fd >= 0 ? fd : fail(dial, options->all_errors.given && options->all_errors.value != 0);
    }
    dial_release(dial);
    return rc;
}
