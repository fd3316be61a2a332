/* SPDX-License-Identifier: MIT
 *
 * Servers where a script cannot go: failing system calls, addresses that the kernel refuses, every
 * call in every state, and that no descriptor is left.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include <rill/observe.h>
#include <rill/sys.h>

#include "../../loop/tests/virtual.h"

/* What a test's system calls do, and what was seen. */
struct world {
    struct virtual_time time;
    struct rill_sys sys;
    int accept_errno; /* of each accept while not 0 */
    int accepts_failed;
    int family_missing; /* socket() of this family fails */
    int cancel_in_listen;
    struct rill_task *task;
    struct trace options; /* setsockopt calls as level:name */
    struct trace log;
    int reports;
    char report[256];
};

static int world_accept(void *arg, int fd, struct sockaddr *address, unsigned *length)
{
    struct world *world = arg;
    if (world->accept_errno != 0) {
        world->accepts_failed++;
        errno = world->accept_errno;
        return -1;
    }
    return rill_sys_kernel()->accept(NULL, fd, address, length);
}

static int world_socket(void *arg, int family, int type, int protocol)
{
    const struct world *world = arg;
    if (family == world->family_missing) {
        errno = EAFNOSUPPORT;
        return -1;
    }
    return rill_sys_kernel()->socket(NULL, family, type, protocol);
}

static int world_setsockopt(void *arg, int fd, int level, int name, const void *value,
                            unsigned length)
{
    struct world *world = arg;
    char word[32];
    snprintf(word, sizeof word, "%d:%d", level, name);
    trace_add(&world->options, word);
    return rill_sys_kernel()->setsockopt(NULL, fd, level, name, value, length);
}

static int world_listen(void *arg, int fd, int backlog)
{
    struct world *world = arg;
    if (world->cancel_in_listen) {
        rill_task_cancel(world->task);
    }
    return rill_sys_kernel()->listen(NULL, fd, backlog);
}

static struct addrinfo *v4(const char *host, struct addrinfo *next)
{
    struct {
        struct addrinfo info;
        struct sockaddr_in address;
    } *made = calloc(1, sizeof *made);
    made->address.sin_family = AF_INET;
    inet_pton(AF_INET, host, &made->address.sin_addr);
    made->info = (struct addrinfo){.ai_family = AF_INET,
                                   .ai_socktype = SOCK_STREAM,
                                   .ai_protocol = IPPROTO_TCP,
                                   .ai_addrlen = sizeof made->address,
                                   .ai_addr = (struct sockaddr *)(void *)&made->address,
                                   .ai_next = next};
    return &made->info;
}

/* `pair` has two addresses, `none` an empty answer; nothing else has a name. */
static int world_getaddrinfo(void *arg, const char *host, const char *port,
                             const struct addrinfo *hints, struct addrinfo **list)
{
    (void)arg;
    (void)port;
    (void)hints;
    *list = NULL;
    if (host != NULL && strcmp(host, "pair") == 0) {
        *list = v4("127.0.0.2", v4("127.0.0.1", NULL));
        return 0;
    }
    return host != NULL && strcmp(host, "none") == 0 ? 0 : EAI_NONAME;
}

static void world_freeaddrinfo(void *arg, struct addrinfo *list)
{
    (void)arg;
    while (list != NULL) {
        struct addrinfo *next = list->ai_next;
        free(list);
        list = next;
    }
}

static void world_log(void *arg, enum rill_log_level level, const char *text,
                      const struct rill_error *exception)
{
    (void)exception;
    struct world *world = arg;
    if (level >= RILL_LOG_WARNING) {
        trace_add(&world->log, text);
    }
}

static void world_report(void *arg, struct rill_loop *loop,
                         const struct rill_exception_context *context)
{
    struct world *world = arg;
    (void)loop;
    world->reports++;
    snprintf(world->report, sizeof world->report, "%s: %s", context->message,
             context->exception != NULL ? context->exception->text : "");
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return count;
}

/* Runs fn in virtual time in this world, and checks that it leaves no descriptor. */
static void run_world(int line, rill_task_fn *fn, struct world *world, bool debug)
{
    const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = &world->time};
    const struct rill_run_options options = {.loop = {.clock = &clock,
                                                      .sys = &world->sys,
                                                      .log = world_log,
                                                      .log_arg = world,
                                                      .debug = {debug, debug}}};
    const size_t before = open_descriptors();

    world->sys = *rill_sys_kernel();
    world->sys.accept = world_accept;
    world->sys.socket = world_socket;
    world->sys.setsockopt = world_setsockopt;
    world->sys.listen = world_listen;
    world->sys.getaddrinfo = world_getaddrinfo;
    world->sys.freeaddrinfo = world_freeaddrinfo;
    world->sys.arg = world;
    CHECK_INT_ROW(line, rill_run(fn, world, &options), 0);
    CHECK_INT_ROW(line, (long long)open_descriptors(), (long long)before);
}

static int echo(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    struct rill_bytes line;
    (void)arg;
    while (rill_reader_next_line(reader, &line) > 0) {
        rill_writer_write(writer, line.ptr, line.len);
        if (rill_writer_drain(writer) < 0) {
            return 0;
        }
    }
    rill_writer_close(writer);
    return 0;
}

/* Time for what the descriptors have to say: one event of each in a turn. */
static void settle(void)
{
    for (int i = 0; i < 8; i++) {
        rill_sleep(0.001);
    }
}

static int port_of(const struct rill_server *server)
{
    struct rill_address address = {0};
    CHECK(rill_server_sockname(server, 0, &address));
    return address.port;
}

static int raw_client(int port)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CHECK_INT(connect(fd, (struct sockaddr *)(void *)&to, sizeof to), 0);
    return fd;
}

/* -- arguments ------------------------------------------------------------------------------- */

enum own_socket { NO_SOCKET, STREAM, DATAGRAM };

static const char *const no_hosts[] = {NULL};
static const char *const blank_host[] = {"127.0.0.1", ""};
static const char *const unknown_host[] = {"pair", "nowhere"};

static const struct {
    int line;
    const char *host;
    const char *port;
    struct rill_server_options options;
    enum own_socket own;
    int want_rc;
    const char *want_text; /* a prefix */
} argument_rows[] = {
    {.line = __LINE__,
     .options = {.ssl_handshake_timeout = RILL_SET(1.0)},
     .want_rc = RILL_EVALUE,
     .want_text = "ssl_handshake_timeout is only meaningful with ssl"},
    {.line = __LINE__,
     .host = "127.0.0.1",
     .options = {.ssl_shutdown_timeout = RILL_SET(0.0), .limit = RILL_SET(0)},
     .want_rc = RILL_EVALUE,
     .want_text = "ssl_shutdown_timeout is only meaningful with ssl"},
    {.line = __LINE__,
     .want_rc = RILL_EVALUE,
     .want_text = "Neither host/port nor sock were specified"},
    {.line = __LINE__,
     .port = "0",
     .own = STREAM,
     .options = {.limit = RILL_SET(0)},
     .want_rc = RILL_EVALUE,
     .want_text = "host/port and sock can not be specified at the same time"},
    {.line = __LINE__,
     .own = STREAM,
     .options = {.hosts = no_hosts, .host_count = RILL_SET(0)},
     .want_rc = RILL_EVALUE,
     .want_text = "host/port and sock can not be specified at the same time"},
    {.line = __LINE__,
     .own = DATAGRAM,
     .want_rc = RILL_EVALUE,
     .want_text = "A Stream Socket was expected, got <socket.socket fd="},
    {.line = __LINE__,
     .own = STREAM,
     .options = {.limit = RILL_SET(0)},
     .want_rc = RILL_EVALUE,
     .want_text = "Limit cannot be <= 0"},
    {.line = __LINE__,
     .host = "127.0.0.1",
     .options = {.backlog = RILL_SET(-1)},
     .want_rc = RILL_EVALUE,
     .want_text = "backlog must be >= 0, got -1"},
    {.line = __LINE__,
     .options = {.hosts = no_hosts, .host_count = RILL_SET(0)},
     .want_rc = RILL_EOS,
     .want_text = "could not bind on any address out of []"},
    {.line = __LINE__, /* not special in a list */
     .options = {.hosts = blank_host, .host_count = RILL_SET(2)},
     .want_rc = RILL_EGAI,
     .want_text = "[Errno -2] Name or service not known"},
    {.line = __LINE__,
     .options = {.hosts = unknown_host, .host_count = RILL_SET(2)},
     .want_rc = RILL_EGAI,
     .want_text = "[Errno -2] Name or service not known"},
    {.line = __LINE__, /* */
     .host = "none",
     .want_rc = RILL_EOS,
     .want_text = "getaddrinfo('none') returned empty list"},
    {.line = __LINE__, /* */
     .host = "127.0.0.1",
     .port = "65536",
     .want_rc = RILL_EOVERFLOW,
     .want_text = "bind(): port must be 0-65535."},
    {.line = __LINE__,
     .host = "127.0.0.1",
     .port = "-1",
     .want_rc = RILL_EOVERFLOW,
     .want_text = "bind(): port must be 0-65535."},
    {.line = __LINE__, /* an address of nobody's: EADDRNOTAVAIL */
     .host = "192.0.2.1",
     .port = "0",
     .want_rc = RILL_EOS,
     .want_text = "could not bind on any address out of [('192.0.2.1', 0)]"},
};

static int own_socket(enum own_socket kind)
{
    return kind == NO_SOCKET
               ? -1
               : socket(AF_INET, (kind == STREAM ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC, 0);
}

static int bad_arguments(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof argument_rows / sizeof argument_rows[0]; i++) {
        const int line = argument_rows[i].line;
        struct rill_server_options options = argument_rows[i].options;
        struct rill_server *server = NULL;
        const int fd = own_socket(argument_rows[i].own);
        options.sock = (struct rill_opt_int){fd >= 0, fd};
        const int rc = rill_start_server(echo, NULL, argument_rows[i].host, argument_rows[i].port,
                                         &options, &server);

        CHECK_INT_ROW(line, rc, argument_rows[i].want_rc);
        CHECK_ROW(line, server == NULL);
        CHECK_ROW(line, strncmp(rill_task_error()->text, argument_rows[i].want_text,
                                strlen(argument_rows[i].want_text)) == 0);
        if (fd >= 0) { /* still the caller's */
            CHECK_INT_ROW(line, close(fd), 0);
        }
    }
    return 0;
}

/* -- addresses ------------------------------------------------------------------------------- */

/* Each address once, in the order of names and answers, each with a port of its own; one
 * that is not here is skipped. */
static int several_hosts(void *arg)
{
    static const char *const hosts[] = {"127.0.0.1", "pair", "192.0.2.1", "127.0.0.3", "127.0.0.2"};
    static const char *const want[] = {"127.0.0.1", "127.0.0.2", "127.0.0.3"};
    const struct rill_server_options options = {.hosts = hosts, .host_count = RILL_SET(5)};
    struct rill_server *server = NULL;
    (void)arg;

    CHECK_INT(rill_start_server(echo, NULL, NULL, "0", &options, &server), 0);
    CHECK_INT((long long)rill_server_socket_count(server), 3);
    for (size_t i = 0; i < 3; i++) {
        struct rill_address address = {0};
        CHECK(rill_server_sockname(server, i, &address));
        CHECK_STR(address.host, want[i]);
        CHECK(address.port > 0);
    }
    CHECK(rill_server_socket(server, 3) == -1);
    rill_server_close(server);
    rill_server_free(server);
    return 0;
}

/* The second address is taken: the first one's socket is closed, the text is R-632's. */
static int taken_address(void *arg)
{
    static const char *const hosts[] = {"127.0.0.2", "127.0.0.1"};
    const struct rill_server_options options = {.hosts = hosts, .host_count = RILL_SET(2)};
    struct rill_server *first = NULL;
    struct rill_server *second = NULL;
    char port[8];
    char want[160];
    (void)arg;

    CHECK_INT(rill_start_server(echo, NULL, "127.0.0.1", "0", NULL, &first), 0);
    snprintf(port, sizeof port, "%d", port_of(first));
    const size_t before = open_descriptors();
    CHECK_INT(rill_start_server(echo, NULL, NULL, port, &options, &second), RILL_EOS);
    snprintf(want, sizeof want,
             "[Errno 98] error while attempting to bind on address ('127.0.0.1', %s): [errno 98] "
             "address already in use",
             port);
    CHECK_STR(rill_task_error()->text, want);
    CHECK_INT(rill_task_error()->os_errno, EADDRINUSE);
    CHECK_INT((long long)open_descriptors(), (long long)before);
    rill_server_close(first);
    rill_server_free(first);
    CHECK_INT(rill_start_server(echo, NULL, "127.0.0.1", port, NULL, &first), 0); /* */
    rill_server_close(first);
    rill_server_free(first);
    return 0;
}

/* a family that the machine has not is skipped, with a warning in debug mode. */
static int missing_family(void *arg)
{
    static const char *const hosts[] = {"::1", "127.0.0.1"};
    const struct rill_server_options options = {.hosts = hosts, .host_count = RILL_SET(2)};
    struct world *world = arg;
    struct rill_server *server = NULL;

    world->family_missing = AF_INET6;
    CHECK_INT(rill_start_server(echo, NULL, NULL, "0", &options, &server), 0);
    CHECK_INT((long long)rill_server_socket_count(server), 1);
    rill_server_close(server);
    rill_server_free(server);
    CHECK_INT(rill_start_server(echo, NULL, "::1", "0", NULL, &server), RILL_EOS);
    CHECK_STR(rill_task_error()->text, "could not bind on any address out of [('::1', 0, 0, 0)]");
    return 0;
}

static int socket_options(void *arg)
{
    struct world *world = arg;
    const struct rill_server_options all = {
        .reuse_port = RILL_SET(1), .keep_alive = RILL_SET(1), .start_serving = RILL_SET(0)};
    const struct rill_server_options none = {.reuse_address = RILL_SET(0)};
    struct rill_server *server = NULL;
    char want[64];

    CHECK_INT(rill_start_server(echo, NULL, "127.0.0.1", "0", &all, &server), 0);
    snprintf(want, sizeof want, "%d:%d %d:%d %d:%d %d:%d", SOL_SOCKET, SO_REUSEADDR, SOL_SOCKET,
             SO_REUSEPORT, SOL_SOCKET, SO_KEEPALIVE, IPPROTO_TCP, TCP_NODELAY);
    CHECK_STR(world->options.text, want);   /* the last is for accepted sockets to inherit */
    CHECK(!rill_server_is_serving(server)); /* */
    rill_server_close(server);
    rill_server_free(server);
    world->options = (struct trace){0};
    CHECK_INT(rill_start_server(echo, NULL, "127.0.0.1", "0", &none, &server), 0);
    snprintf(want, sizeof want, "%d:%d", IPPROTO_TCP, TCP_NODELAY);
    CHECK_STR(world->options.text, want);
    rill_server_close(server);
    rill_server_free(server);
    return 0;
}

/* -- out of descriptors ---------------------------------------------------------------------- */

static struct rill_server *server_with_clients(int *clients, size_t count)
{
    const struct rill_server_options options = {.backlog = RILL_SET(5)};
    struct rill_server *server = NULL;
    CHECK_INT(rill_start_server(echo, NULL, "127.0.0.1", "0", &options, &server), 0);
    for (size_t i = 0; i < count; i++) {
        clients[i] = raw_client(port_of(server));
    }
    return server;
}

/* One report for the whole batch, nothing for a second, then everybody is served. */
static int out_of_descriptors(void *arg)
{
    struct world *world = arg;
    struct rill_loop_state state;
    int clients[3];

    rill_loop_set_exception_handler(rill_running_loop(), world_report, world);
    struct rill_server *server = server_with_clients(clients, 3);
    world->accept_errno = EMFILE;
    settle();
    CHECK_INT(world->accepts_failed, 1);
    CHECK_INT(world->reports, 1);
    CHECK_STR(world->report,
              "socket.accept() out of system resource: [Errno 24] Too many open files");
    rill_observe_loop(rill_running_loop(), &state);
    CHECK_INT((long long)state.timers, 1);
    CHECK_INT((long long)state.watchers, 0);
    rill_sleep(0.98);
    CHECK_INT(world->accepts_failed, 1);
    world->accept_errno = 0;
    rill_sleep(0.1);
    for (size_t i = 0; i < 3; i++) {
        char line[8] = "";
        CHECK_INT(send(clients[i], "hello\n", 6, 0), 6);
        settle();
        CHECK_INT(recv(clients[i], line, sizeof line, MSG_DONTWAIT), 6);
        close(clients[i]);
    }
    CHECK_INT(world->reports, 1);
    rill_server_close(server);
    CHECK_INT(rill_server_wait_closed(server), 0);
    rill_server_free(server);
    return 0;
}

/* Closed within the second: nothing more is heard. */
static int closed_in_the_pause(void *arg)
{
    struct world *world = arg;
    struct rill_loop_state state;
    int client;

    rill_loop_set_exception_handler(rill_running_loop(), world_report, world);
    struct rill_server *server = server_with_clients(&client, 1);
    world->accept_errno = ENFILE;
    rill_sleep(0.5);
    rill_server_close(server);
    rill_observe_loop(rill_running_loop(), &state);
    CHECK_INT((long long)state.timers, 0);
    rill_sleep(2);
    CHECK_INT(world->accepts_failed, 1);
    CHECK_INT(world->reports, 1);
    rill_server_free(server);
    close(client);
    return 0;
}

/* Closed and let go of by the report's handler: there is nothing left to pause. */
static void close_in_report(void *arg, struct rill_loop *loop,
                            const struct rill_exception_context *context)
{
    struct rill_server **server = arg;
    (void)loop;
    (void)context;
    rill_server_close(*server);
    rill_server_free(*server);
    *server = NULL;
}

static int closed_by_the_report(void *arg)
{
    struct world *world = arg;
    struct rill_loop_state state;
    int client;

    struct rill_server *server = server_with_clients(&client, 1);
    rill_loop_set_exception_handler(rill_running_loop(), close_in_report, &server);
    world->accept_errno = EMFILE;
    rill_sleep(0.5);
    CHECK(server == NULL);
    rill_observe_loop(rill_running_loop(), &state);
    CHECK_INT((long long)state.timers, 0);
    rill_sleep(2);
    CHECK_INT(world->accepts_failed, 1);
    close(client);
    return 0;
}

/* -- cancellation ---------------------------------------------------------------------------- */

/* In the iteration after listen: nothing is left; a socket that was passed in stays open. */
static int start_cancelled(void *arg)
{
    struct world *world = arg;
    struct rill_loop_state state;
    struct rill_server *server = NULL;

    world->task = rill_current_task();
    world->cancel_in_listen = 1;
    const size_t before = open_descriptors();
    CHECK_INT(rill_start_server(echo, NULL, "127.0.0.1", "0", NULL, &server), RILL_ECANCELLED);
    CHECK_INT((long long)open_descriptors(), (long long)before);
    const int fd = own_socket(STREAM);
    const struct rill_server_options options = {.sock = RILL_SET(fd)};
    CHECK_INT(rill_start_server(echo, NULL, NULL, NULL, &options, &server), RILL_ECANCELLED);
    rill_observe_loop(rill_running_loop(), &state);
    CHECK_INT((long long)state.watchers, 0);
    CHECK_INT(close(fd), 0);
    CHECK(server == NULL);
    return 0;
}

/* -- the table of states --------------------------------------------------------------------- */

struct call {
    struct rill_server *server;
    int (*fn)(struct rill_server *server);
    struct rill_task *task;
    int rc;
    bool returned;
};

static int run_call(void *arg)
{
    struct call *call = arg;
    call->rc = call->fn(call->server);
    call->returned = true;
    return 0;
}

static void start_call(struct call *call, struct rill_server *server,
                       int (*fn)(struct rill_server *server))
{
    *call = (struct call){.server = server, .fn = fn};
    CHECK_INT(rill_task_create(run_call, call, NULL, &call->task), 0);
    rill_sleep(0.01);
}

static int end_call(struct call *call)
{
    rill_task_await(call->task);
    rill_task_free(call->task);
    CHECK(call->returned);
    return call->rc;
}

static struct rill_server *new_server(bool serving)
{
    const struct rill_server_options options = {.start_serving = {true, serving}};
    struct rill_server *server = NULL;
    CHECK_INT(rill_start_server(echo, NULL, "127.0.0.1", "0", &options, &server), 0);
    return server;
}

static int before_close(void *arg)
{
    struct call forever;
    struct call waiter;
    char want[256];
    (void)arg;

    struct rill_server *server = new_server(false);
    CHECK(!rill_server_is_serving(server));
    CHECK_INT(rill_server_start_serving(server), 0);
    CHECK(rill_server_is_serving(server));
    CHECK_INT(rill_server_start_serving(server), 0); /* */
    start_call(&forever, server, rill_server_serve_forever);
    start_call(&waiter, server, rill_server_wait_closed);
    CHECK(!forever.returned && !waiter.returned); /* */
    CHECK_INT(rill_server_serve_forever(server), RILL_ERUNTIME);
    snprintf(want, sizeof want,
             "server <Server sockets=(<asyncio.TransportSocket fd=%d, family=2, type=1, proto=6, "
             "laddr=('127.0.0.1', %d)>,)> is already being awaited on serve_forever()",
             rill_server_socket(server, 0), port_of(server));
    CHECK_STR(rill_server_error(server)->text, want); /* */
    CHECK_INT(rill_server_wait_closed_for(server, 0.5), RILL_ETIMEOUT);
    CHECK_INT(rill_server_error(server)->code, RILL_ETIMEOUT);
    rill_server_close(server);
    rill_server_close(server);
    CHECK_INT(end_call(&forever), RILL_ECANCELLED); /* */
    CHECK_INT(end_call(&waiter), 0);
    rill_server_free(server);
    return 0;
}

static int after_close(void *arg)
{
    (void)arg;
    struct rill_server *server = new_server(true);
    rill_server_close(server);
    CHECK(!rill_server_is_serving(server));
    CHECK_INT((long long)rill_server_socket_count(server), 0);
    CHECK_INT(rill_server_wait_closed(server), 0);
    CHECK_INT(rill_server_wait_closed_for(server, 0), 0);
    CHECK_INT(rill_server_serve_forever(server), RILL_ERUNTIME);
    CHECK_STR(rill_server_error(server)->text, "server <Server sockets=()> is closed"); /* */
    CHECK_INT(rill_server_start_serving(server), RILL_ETYPE);                           /* */
    CHECK_STR(rill_server_error(server)->text, "'NoneType' object is not iterable");
    CHECK(rill_server_is_serving(server)); /* as CPython 3.7 to 3.13 */
    CHECK_INT(rill_server_start_serving(server), 0);
    rill_server_close_clients(server);
    rill_server_abort_clients(server);
    rill_server_free(server);
    return 0;
}

/* A cancelled serve_forever closes, and ends with its last client; until then a second one
 * is told that there is a first. */
static int with_a_client(void *arg)
{
    struct call forever;
    (void)arg;

    struct rill_server *server = new_server(true);
    const int client = raw_client(port_of(server));
    start_call(&forever, server, rill_server_serve_forever);
    rill_task_cancel(forever.task);
    rill_sleep(0.01);
    CHECK(!forever.returned && !rill_server_is_serving(server));
    CHECK_INT(rill_server_serve_forever(server), RILL_ERUNTIME);
    CHECK_STR(rill_server_error(server)->text,
              "server <Server sockets=()> is already being awaited on serve_forever()");
    CHECK_INT(rill_server_wait_closed_for(server, 5), RILL_ETIMEOUT); /* */
    rill_server_close_clients(server);
    CHECK_INT(end_call(&forever), RILL_ECANCELLED);
    CHECK_INT(rill_server_wait_closed_for(server, 5), 0);
    rill_server_free(server);
    close(client);
    return 0;
}

/* Neither closed nor freed by the time the loop ends: the sockets are closed then. */
static int left_open(void *arg)
{
    struct rill_server **kept = arg;
    *kept = new_server(true);
    return 0;
}

static void test_left_open(void)
{
    const size_t before = open_descriptors();
    struct rill_server *kept = NULL;
    CHECK_INT(rill_run(left_open, &kept, NULL), 0);
    CHECK_INT((long long)open_descriptors(), (long long)before);
    CHECK(!rill_server_is_serving(kept));
    CHECK_INT((long long)rill_server_socket_count(kept), 0);
    rill_server_free(kept);
}

int main(void)
{
    static const struct {
        int line;
        rill_task_fn *fn;
    } rows[] = {
        {__LINE__, bad_arguments},        {__LINE__, several_hosts},
        {__LINE__, taken_address},        {__LINE__, socket_options},
        {__LINE__, out_of_descriptors},   {__LINE__, closed_in_the_pause},
        {__LINE__, closed_by_the_report}, {__LINE__, start_cancelled},
        {__LINE__, before_close},         {__LINE__, after_close},
        {__LINE__, with_a_client},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct world world = {.family_missing = -1};
        run_world(rows[i].line, rows[i].fn, &world, false);
        CHECK_STR_ROW(rows[i].line, world.log.text, "");
    }
    struct world world = {.family_missing = -1};
    run_world(__LINE__, missing_family, &world, true);
    CHECK(strstr(world.log.text,
                 "create_server() failed to create socket.socket("
                 "<AddressFamily.AF_INET6: 10>, <SocketKind.SOCK_STREAM: 1>, 6)") != NULL);
    test_left_open();
    return check_report("server");
}
