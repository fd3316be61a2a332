/* SPDX-License-Identifier: MIT
 *
 * start_server and create_server: checks, sockets, and the first listen (6.1, 6.2).
 */
#include "sansio/memory.h"
#include "streams/open.h"
#include "streams/server_private.h"

#define BACKLOG_DEFAULT 100 /* */

static const struct rill_server_options no_options = {0};

/* -- what the Unix twin shares --------------------------------------------------------------- */

/* What asyncio would find out with each connection. */
static int check_numbers(const struct rill__server_plan *plan, size_t *limit)
{
    const int rc = plan->factory == NULL ? rill__limit_of(plan->limit, limit) : 0;
    if (rc == 0 && plan->backlog.given && plan->backlog.value < 0) {
        return rill__fail(
            rill_error_new(RILL_EVALUE, "backlog must be >= 0, got %lld", plan->backlog.value));
    }
    return rc < 0 ? rc : rill__server_check_ssl_timeouts(plan);
}

static int backlog_of(struct rill_opt_int option)
{
    const long long most = 1 << 30; /* the kernel has its own, much lower limit */
    const long long value = option.given ? option.value : BACKLOG_DEFAULT;
    return (int)(value < most ? value : most);
}

int rill__server_new(struct rill_loop *loop, const struct rill__server_plan *plan,
                     struct rill_server **result)
{
    size_t limit = 0;
    const int rc = check_numbers(plan, &limit);
    if (rc < 0) {
        return rc;
    }
    struct rill_server *server = rill__alloc_zeroed(sizeof *server);
    if (server == NULL) {
        return rill__fail_no_memory();
    }
    server->loop = loop;
    server->references = 1; /* the caller's */
    server->backlog = backlog_of(plan->backlog);
    server->open.drop = rill__server_drop;
    server->factory = plan->factory;
    server->factory_arg = plan->arg;
    if (plan->factory == NULL) {
        server->factory = rill__server_make_stream;
        server->factory_arg = server;
        server->limit = limit;
        server->connected =
            (struct rill__connected){.task = plan->plain == NULL ? plan->task : NULL,
                                     .plain = plan->plain,
                                     .arg = plan->arg};
    }
    rill__server_use_ssl(server, plan);
    rill__list_init(&server->clients);
    rill__list_init(&server->waiters);
    *result = server;
    return 0;
}

int rill__server_add_socket(struct rill_server *server, int fd)
{
    struct rill__listener *sockets =
        rill__realloc(server->sockets, (server->count + 1) * sizeof server->sockets[0]);
    if (sockets == NULL) {
        return rill__fail_no_memory();
    }
    server->sockets = sockets;
    sockets[server->count++] = (struct rill__listener){.fd = fd, .server = server};
    return 0;
}

static int begin(struct rill_server *server, const struct rill__server_plan *plan)
{
    rill__list_append(&server->loop->servers, &server->open.link);
    rill__server_ref(server);                                          /* the loop's, until close */
    if (plan->start_serving.given && plan->start_serving.value == 0) { /* */
        return 0;
    }
    const int rc = rill__server_listen(server);
    return rc < 0 ? rc : rill__yield(rill_current_task()); /* */
}

int rill__server_start(struct rill_server *server, const struct rill__server_plan *plan, int rc,
                       struct rill_server **result)
{
    if (rc == 0) {
        rc = begin(server, plan);
    }
    if (rc == 0) {
        server->sock_is_callers = false;
        rill__server_log_serving(server);
        *result = server;
        return 0;
    }
    if (server->sock_is_callers) { /* as it was handed in: open, its file in place */
        rill__free(server->unix_file);
        server->unix_file = NULL;
    }
    rill_server_close(server);
    rill__server_unref(server);
    return rc;
}

/* -- TCP sockets ----------------------------------------------------------------------------- */

static int bind_list(struct rill_server *server, const struct rill__address_list *list,
                     const struct rill__bind_options *options)
{
    const struct rill_error *error;
    struct rill__name name;
    bool skip;

    for (size_t i = 0; i < list->count; i++) {
        const int fd = rill__bind(server->loop, &list->items[i], options, &skip, &error);
        if (fd < 0 && !skip) {
            return rill__fail(error);
        }
        rill_error_unref(error);
        if (fd >= 0 && rill__server_add_socket(server, fd) < 0) {
            rill__close(server->loop, fd);
            return RILL_ENOMEM;
        }
        if (fd >= 0 &&
            rill__own_name(server->loop, fd, &name)) { /* one call less for each client */
            server->sockets[server->count - 1].has_nodelay =
                rill__set_nodelay(server->loop, fd, &name);
        }
    }
    return server->count > 0 ? 0 : rill__fail(rill__none_bound(list));
}

static bool is_on(struct rill_opt_int option, bool standard)
{
    return option.given ? option.value != 0 : standard;
}

static int bind_names(struct rill_server *server, const char *host, const char *port,
                      const struct rill_server_options *options)
{
    const struct rill__bind_options bind_options = {
        .reuse_address = is_on(options->reuse_address, true),
        .reuse_port = is_on(options->reuse_port, false),
        .keep_alive = is_on(options->keep_alive, false),
    };
    const char *const one = host != NULL && host[0] != '\0' ? host : NULL; /* */
    const bool several = options->host_count.given;
    const struct rill__names names = {
        .hosts = several ? options->hosts : &one,
        .count =
            several ? (size_t)(options->host_count.value > 0 ? options->host_count.value : 0) : 1,
        .port = port,
        .family = options->family,
        .flags = options->flags.given ? (int)options->flags.value : rill__flag_passive(),
    };
    struct rill__address_list list;

    int rc = rill__resolve_names(server->loop, &names, &list);
    if (rc == 0) {
        rc = bind_list(server, &list, &bind_options);
    }
    rill__address_list_cleanup(&list);
    return rc;
}

static int adopt_socket(struct rill_server *server, int fd)
{
    server->sock_is_callers = true;
    const int rc = rill__set_nonblocking(server->loop, fd);
    return rc < 0 ? rill__fail(rill_error_from_errno(-rc)) : rill__server_add_socket(server, fd);
}

static bool is_named(const char *host, const char *port, const struct rill_server_options *options)
{
    return host != NULL || port != NULL || options->host_count.given;
}

/* R-620's order. */
static int check(struct rill_loop *loop, const struct rill__server_plan *plan, const char *host,
                 const char *port, const struct rill_server_options *options)
{
    const int rc = rill__server_check_ssl(plan);
    if (rc < 0) {
        return rc;
    }
    if (is_named(host, port, options) && options->sock.given) { /* */
        return rill__fail(rill_error_new(
            RILL_EVALUE, "host/port and sock can not be specified at the same time"));
    }
    if (is_named(host, port, options)) {
        return 0;
    }
    if (!options->sock.given) { /* */
        return rill__fail_with(RILL_EVALUE, "Neither host/port nor sock were specified");
    }
    if (!rill__is_stream_socket(loop, (int)options->sock.value)) { /* */
        return rill__fail(rill__wrong_socket(loop, "Stream Socket", (int)options->sock.value));
    }
    return 0;
}

static int serve(struct rill__server_plan *plan, const char *host, const char *port,
                 const struct rill_server_options *options, struct rill_server **result)
{
    struct rill_server *server;
    struct rill_task *task;

    *result = NULL;
    if (rill__require_task(&task) < 0) {
        return RILL_ERUNTIME;
    }
    options = options != NULL ? options : &no_options;
    plan->backlog = options->backlog;
    plan->start_serving = options->start_serving;
    plan->limit = options->limit;
    plan->ssl = options->ssl;
    plan->ssl_handshake_timeout = options->ssl_handshake_timeout;
    plan->ssl_shutdown_timeout = options->ssl_shutdown_timeout;
    if (plan->factory == NULL) {
        plan->plain = options->plain_cb;
    }
    int rc = check(task->loop, plan, host, port, options);
    rc = rc < 0 ? rc : rill__server_new(task->loop, plan, &server);
    if (rc < 0) {
        return rc;
    }
    rc = is_named(host, port, options) ? bind_names(server, host, port, options)
                                       : adopt_socket(server, (int)options->sock.value);
    return rill__server_start(server, plan, rc, result);
}

int rill_start_server(rill_client_connected_task *handler, void *arg, const char *host,
                      const char *port, const struct rill_server_options *options,
                      struct rill_server **server)
{
    struct rill__server_plan plan = {.task = handler, .arg = arg};
    return serve(&plan, host, port, options, server);
}

int rill_create_server(rill_protocol_factory *factory, void *arg, const char *host,
                       const char *port, const struct rill_server_options *options,
                       struct rill_server **server)
{
    struct rill__server_plan plan = {.factory = factory, .arg = arg};
    return serve(&plan, host, port, options, server);
}
