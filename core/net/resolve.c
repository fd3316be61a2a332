/* SPDX-License-Identifier: MIT
 *
 * Names to addresses: getaddrinfo on a helper thread, skipped for literals.
 */
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "loop/tasks.h"
#include "loop/workers.h"
#include "net/address.h"
#include "sansio/memory.h"

void rill__address_list_cleanup(struct rill__address_list *list)
{
    rill__free(list->items);
    list->items = NULL;
    list->count = 0;
}

int rill__flag_passive(void)
{
    return AI_PASSIVE;
}

/* A look-up under way; freed by whichever of waiter and thread is last. */
struct lookup {
    struct rill__job job;
    char *host;
    char *port;
    struct addrinfo hints;
    struct addrinfo *answer;
    int status;              /* EAI code */
    int os_errno;            /* of EAI_SYSTEM */
    struct rill__wait *wait; /* NULL: nobody waits any more */
    bool is_done;
};

static void lookup_free(struct lookup *lookup)
{
    const struct rill_sys *sys = lookup->job.loop->sys;
    if (lookup->answer != NULL) {
        sys->freeaddrinfo(sys->arg, lookup->answer);
    }
    rill__free(lookup->host);
    rill__free(lookup->port);
    rill__free(lookup);
}

static void lookup_work(struct rill__job *job)
{
    struct lookup *lookup = rill__container(job, struct lookup, job);
    const struct rill_sys *sys = job->loop->sys;
    lookup->status =
        sys->getaddrinfo(sys->arg, lookup->host, lookup->port, &lookup->hints, &lookup->answer);
    lookup->os_errno = lookup->status == EAI_SYSTEM ? errno : 0;
}

static void lookup_done(struct rill__job *job)
{
    struct lookup *lookup = rill__container(job, struct lookup, job);
    lookup->is_done = true;
    if (lookup->wait == NULL) {
        lookup_free(lookup);
    } else {
        rill__wait_complete(lookup->wait, 0);
    }
}

static struct lookup *lookup_new(struct rill_loop *loop, const char *host, const char *port)
{
    struct lookup *lookup = rill__alloc_zeroed(sizeof *lookup);
    if (lookup == NULL) {
        return NULL;
    }
    lookup->job.loop = loop;
    lookup->job.work = lookup_work;
    lookup->job.done = lookup_done;
    lookup->host = host != NULL ? rill__strdup(host) : NULL;
    lookup->port = port != NULL ? rill__strdup(port) : NULL;
    if ((host != NULL && lookup->host == NULL) || (port != NULL && lookup->port == NULL)) {
        lookup_free(lookup);
        return NULL;
    }
    return lookup;
}

static const struct rill_error *lookup_error(const struct lookup *lookup)
{
    if (lookup->status == EAI_SYSTEM) {
        return rill_error_from_errno(lookup->os_errno);
    }
    const struct rill_error *error =
        rill_error_from_gai(lookup->status, gai_strerror(lookup->status));
    return error;
}

/* The port, so that an answer equals the literal of the same address. */
static long port_of(const struct addrinfo *info)
{
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (info->ai_family == AF_INET && info->ai_addrlen >= sizeof v4) {
        memcpy(&v4, info->ai_addr, sizeof v4);
        return ntohs(v4.sin_port);
    }
    if (info->ai_family == AF_INET6 && info->ai_addrlen >= sizeof v6) {
        memcpy(&v6, info->ai_addr, sizeof v6);
        return ntohs(v6.sin6_port);
    }
    return 0;
}

static int copy_answer(const struct addrinfo *answer, struct rill__address_list *list)
{
    size_t count = 0;
    for (const struct addrinfo *info = answer; info != NULL; info = info->ai_next) {
        count++;
    }
    list->items = rill__alloc_zeroed((count > 0 ? count : 1) * sizeof list->items[0]);
    if (list->items == NULL) {
        return RILL_ENOMEM;
    }
    for (const struct addrinfo *info = answer; info != NULL; info = info->ai_next) {
        struct rill__endpoint_address *item = &list->items[list->count++];
        item->family = info->ai_family;
        item->type = info->ai_socktype;
        item->protocol = info->ai_protocol;
        item->port = port_of(info);
        item->length = info->ai_addrlen;
        memcpy(&item->storage, info->ai_addr, info->ai_addrlen);
    }
    return 0;
}

static int look_up(struct rill_task *task, struct lookup *lookup, struct rill__address_list *list)
{
    struct rill__wait wait;
    int rc;

    rill__wait_init(&wait, task);
    lookup->wait = &wait;
    rc = rill__job_start(task->loop, &lookup->job);
    if (rc < 0) {
        lookup_free(lookup);
        return rill__fail(rill_error_new(rc, "can't start new thread"));
    }
    rc = rill__wait(&wait, NULL);
    if (!lookup->is_done) { /* cancelled, and the thread still runs: its end frees the look-up */
        lookup->wait = NULL;
        return rc;
    }
    if (rc == 0) {
        rc = lookup->status != 0 ? rill__fail(lookup_error(lookup))
                                 : copy_answer(lookup->answer, list);
    }
    lookup_free(lookup);
    return rc == RILL_ENOMEM ? rill__fail_no_memory() : rc;
}

/* Python's int(text): true when port is a number; blanks around it and single underscores between
 * its digits are allowed. None and '' are 0. What is far too large is only told to be so.
 */
static bool port_number(const char *port, long *number)
{
    static const char blanks[] = " \t\n\r\f\v";
    const long too_large = 65536;
    long value = 0;
    bool after_digit = false;

    *number = 0;
    if (port == NULL || port[0] == '\0') {
        return true;
    }
    const char *at = port + strspn(port, blanks);
    const bool negative = *at == '-';
    at += negative || *at == '+';
    for (; (*at >= '0' && *at <= '9') || (*at == '_' && after_digit); at++) {
        after_digit = *at != '_';
        if (after_digit && value < too_large) {
            value = value * 10 + (*at - '0');
        }
    }
    *number = negative ? -value : value;
    return after_digit && at[strspn(at, blanks)] == '\0';
}

static bool resolve_literal(const char *host, const char *port, int family, int protocol,
                            struct rill__endpoint_address *address)
{
    long number;
    if (host == NULL || strchr(host, '%') != NULL || !port_number(port, &number)) {
        return false;
    }
    if (protocol != 0 && protocol != IPPROTO_TCP && protocol != IPPROTO_UDP) {
        return false;
    }
    return rill__address_literal(host, number, family, address);
}

int rill__resolve(struct rill_loop *loop, const char *host, const char *port, int family,
                  int protocol, int flags, struct rill__address_list *list)
{
    struct rill__endpoint_address literal;
    struct rill_task *task;

    *list = (struct rill__address_list){0};
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    if (resolve_literal(host, port, family, protocol, &literal)) {
        list->items = rill__alloc(sizeof literal);
        if (list->items == NULL) {
            return rill__fail_no_memory();
        }
        list->items[0] = literal;
        list->count = 1;
        return 0;
    }
    struct lookup *lookup = lookup_new(loop, host, port);
    if (lookup == NULL) {
        return rill__fail_no_memory();
    }
    lookup->hints = (struct addrinfo){.ai_family = family,
                                      .ai_socktype = SOCK_STREAM,
                                      .ai_protocol = protocol,
                                      .ai_flags = flags};
    return look_up(task, lookup, list);
}
