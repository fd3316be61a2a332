/* SPDX-License-Identifier: MIT
 *
 * Unix sockets: what happens to the file in every case, failing system calls, and that no
 * descriptor is left.
 */
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <rill/observe.h>
#include <rill/sys.h>

#include "../../loop/tests/virtual.h"

struct world {
    struct virtual_time time;
    struct rill_sys sys;
    char folder[64];
    int stat_errno; /* of every stat while not 0 */
    int unlink_errno;
    int listen_errno;
    struct trace log;
};

static int world_stat(void *arg, const char *path, struct stat *status)
{
    const struct world *world = arg;
    if (world->stat_errno != 0) {
        errno = world->stat_errno;
        return -1;
    }
    return rill_sys_kernel()->stat(NULL, path, status);
}

static int world_unlink(void *arg, const char *path)
{
    const struct world *world = arg;
    if (world->unlink_errno != 0) {
        errno = world->unlink_errno;
        return -1;
    }
    return rill_sys_kernel()->unlink(NULL, path);
}

static int world_listen(void *arg, int fd, int backlog)
{
    const struct world *world = arg;
    if (world->listen_errno != 0) {
        errno = world->listen_errno;
        return -1;
    }
    return rill_sys_kernel()->listen(NULL, fd, backlog);
}

static void world_log(void *arg, enum rill_log_level level, const char *text,
                      const struct rill_error *exception)
{
    (void)exception;
    struct world *world = arg;
    (void)level;
    trace_add(&world->log, text);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++) {
        count += fcntl(fd, F_GETFD) >= 0 ? 1 : 0;
    }
    return count;
}

/* Runs fn in a fresh folder, the current one; nothing may be left open, and no file unless fn
 * removes it. */
static void run_world(int line, rill_task_fn *fn)
{
    struct world world = {.folder = "/tmp/rill-unix-XXXXXX"};
    const struct rill_clock clock = {.now = virtual_now, .idle = virtual_idle, .arg = &world.time};
    const struct rill_run_options options = {
        .loop = {.clock = &clock, .sys = &world.sys, .log = world_log, .log_arg = &world}};
    const size_t before = open_descriptors();

    world.sys = *rill_sys_kernel();
    world.sys.stat = world_stat;
    world.sys.unlink = world_unlink;
    world.sys.listen = world_listen;
    world.sys.arg = &world;
    CHECK_ROW(line, mkdtemp(world.folder) != NULL && chdir(world.folder) == 0);
    CHECK_INT_ROW(line, rill_run(fn, &world, &options), 0);
    CHECK_INT_ROW(line, (long long)open_descriptors(), (long long)before);
    CHECK_ROW(line, chdir("/") == 0 && rmdir(world.folder) == 0);
}

static bool exists(const char *path)
{
    struct stat status;
    return lstat(path, &status) == 0;
}

static void make_file(const char *path)
{
    const int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    CHECK(fd >= 0 && close(fd) == 0);
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

/* One line there and back. */
static void check_exchange(int line, struct rill_bytes path)
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes answer = {0};

    CHECK_INT_ROW(line, rill_open_unix_connection(path, NULL, &reader, &writer), 0);
    if (reader == NULL) {
        return;
    }
    CHECK_INT_ROW(line, rill_writer_write(writer, "hello\n", 6), 0);
    CHECK_INT_ROW(line, rill_reader_readline(reader, &answer), 0);
    CHECK_ROW(line, answer.len == 6 && memcmp(answer.ptr, "hello\n", 6) == 0);
    CHECK_ROW(line, rill_writer_can_write_eof(writer)); /* */
    rill_writer_close(writer);
    CHECK_INT_ROW(line, rill_writer_wait_closed(writer), 0);
    rill_writer_free(writer);
}

static void end_server(struct rill_server *server)
{
    rill_server_close(server);
    CHECK_INT(rill_server_wait_closed(server), 0);
    rill_server_free(server);
}

/* -- names ----------------------------------------------------------------------------------- */

#define FIFTY "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

static const struct {
    int line;
    const char *path;
    size_t len;
    int want_server; /* rc of start_unix_server, with its text */
    const char *want_server_text;
    int want_client; /* rc of open_unix_connection where no server came up */
    const char *want_client_text;
} name_rows[] = {
    {__LINE__, "plain.sock", 10, 0, "", 0, ""},
    {__LINE__, "it's \xc3\xa9 \xff", 9, 0, "", 0, ""},
    {__LINE__, FIFTY FIFTY "1234567", 107, 0, "", 0, ""},
    {__LINE__, FIFTY FIFTY "12345678", 108, RILL_EOS, "AF_UNIX path too long", RILL_EOS,
     "AF_UNIX path too long"},
    {__LINE__, "", 0, RILL_EINDEX, "string index out of range", RILL_EOS,
     "[Errno 22] Invalid argument"}, /* */
    {__LINE__, "a\0b", 3, RILL_EVALUE, "stat: embedded null character in path", RILL_ENOENT,
     "[Errno 2] No such file or directory"}, /* */
    {__LINE__, "missing/x", 9, RILL_ENOENT, "[Errno 2] No such file or directory", RILL_ENOENT,
     "[Errno 2] No such file or directory"}, /* */
    {__LINE__, "\0rill-unix-test\0more", 20, 0, "", 0, ""},
    {__LINE__, "\0" FIFTY FIFTY "1234567", 108, 0, "", 0, ""},
    {__LINE__, "\0" FIFTY FIFTY "12345678", 109, RILL_EOS, "AF_UNIX path too long", RILL_EOS,
     "AF_UNIX path too long"},
};

static int names(void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof name_rows / sizeof name_rows[0]; i++) {
        const int line = name_rows[i].line;
        const struct rill_bytes path = {name_rows[i].path, name_rows[i].len};
        const bool is_file = path.len > 0 && path.ptr[0] != '\0';
        struct rill_server *server = NULL;
        struct rill_reader *reader;
        struct rill_writer *writer;
        const int rc = rill_start_unix_server(echo, NULL, path, NULL, &server);

        CHECK_INT_ROW(line, rc, name_rows[i].want_server);
        if (rc == 0) {
            struct rill_address address;
            CHECK_ROW(line, rill_server_sockname(server, 0, &address));
            CHECK_ROW(line, address.path_len == path.len &&
                                memcmp(address.path, path.ptr, path.len) == 0);
            check_exchange(line, path);
            CHECK_ROW(line, !is_file || exists(path.ptr));
            end_server(server);
            CHECK_ROW(line, !is_file || !exists(path.ptr)); /* */
            continue;
        }
        CHECK_STR_ROW(line, rill_task_error()->text, name_rows[i].want_server_text);
        CHECK_INT_ROW(line, rill_open_unix_connection(path, NULL, &reader, &writer),
                      name_rows[i].want_client);
        CHECK_STR_ROW(line, rill_task_error()->text, name_rows[i].want_client_text);
    }
    return 0;
}

/* -- arguments ------------------------------------------------------------------------------- */

static void check_fails(int line, int rc, int want_rc, const char *want_prefix)
{
    CHECK_INT_ROW(line, rc, want_rc);
    CHECK_ROW(line, strncmp(rill_task_error()->text, want_prefix, strlen(want_prefix)) == 0);
}

static int bad_arguments(void *arg)
{
    const struct rill_bytes none = {0};
    const struct rill_bytes path = rill_bytes_of("x");
    const int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int datagram = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    const struct rill_unix_server_options s_handshake = {.ssl_handshake_timeout = RILL_SET(1.0)};
    const struct rill_unix_server_options s_shutdown = {.ssl_shutdown_timeout = RILL_SET(1.0)};
    const struct rill_unix_server_options s_tcp = {.sock = RILL_SET(tcp)};
    const struct rill_unix_server_options s_limit = {.limit = RILL_SET(0)};
    const struct rill_unix_connection_options c_name = {.server_hostname = ""};
    const struct rill_unix_connection_options c_handshake = {.ssl_handshake_timeout =
                                                                 RILL_SET(1.0)};
    const struct rill_unix_connection_options c_shutdown = {.ssl_shutdown_timeout = RILL_SET(1.0)};
    const struct rill_unix_connection_options c_datagram = {.sock = RILL_SET(datagram)};
    const struct rill_unix_connection_options c_limit = {.limit = RILL_SET(-1),
                                                         .server_hostname = "x"};
    const struct {
        int line;
        struct rill_bytes path;
        const struct rill_unix_server_options *server; /* or, when NULL, */
        const struct rill_unix_connection_options *client;
        const char *want;
    } rows[] = {
        {__LINE__, none, &s_handshake, NULL, "ssl_handshake_timeout is only meaningful with ssl"},
        {__LINE__, path, &s_shutdown, NULL, "ssl_shutdown_timeout is only meaningful with ssl"},
        {__LINE__, path, &s_tcp, NULL, "path and sock can not be specified at the same time"},
        {__LINE__, none, &s_limit, NULL, "path was not specified, and no sock specified"},
        {__LINE__, path, &s_limit, NULL, "Limit cannot be <= 0"}, /* */
        {__LINE__, none, &s_tcp, NULL,
         "A UNIX Domain Stream Socket was expected, got <socket.socket fd="},
        {__LINE__, path, NULL, &c_name, "server_hostname is only meaningful with ssl"},
        {__LINE__, path, NULL, &c_handshake, "ssl_handshake_timeout is only meaningful with ssl"},
        {__LINE__, path, NULL, &c_shutdown, "ssl_shutdown_timeout is only meaningful with ssl"},
        {__LINE__, path, NULL, &c_limit, "Limit cannot be <= 0"}, /* first */
        {__LINE__, path, NULL, &c_datagram, "path and sock can not be specified at the same time"},
        {__LINE__, none, NULL, NULL, "no path and sock were specified"},
        {__LINE__, none, NULL, &c_datagram,
         "A UNIX Domain Stream Socket was expected, got <socket.socket fd="},
    };
    struct rill_server *server;
    struct rill_reader *reader;
    struct rill_writer *writer;
    (void)arg;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int rc =
            rows[i].server != NULL
                ? rill_start_unix_server(echo, NULL, rows[i].path, rows[i].server, &server)
                : rill_open_unix_connection(rows[i].path, rows[i].client, &reader, &writer);
        check_fails(rows[i].line, rc, RILL_EVALUE, rows[i].want);
    }
    CHECK_INT(close(tcp), 0); /* still the caller's */
    CHECK_INT(close(datagram), 0);
    CHECK(!exists("x"));
    return 0;
}

/* -- what was there before ------------------------------------------------------------------- */

static int stale_files(void *arg)
{
    const struct rill_bytes path = rill_bytes_of("s");
    const struct rill_unix_server_options keep = {.cleanup_socket = RILL_SET(0)};
    struct world *world = arg;
    struct rill_server *server;
    struct rill_reader *reader;
    struct rill_writer *writer;

    CHECK_INT(rill_start_unix_server(echo, NULL, path, &keep, &server), 0);
    end_server(server);
    CHECK(exists("s")); /* left behind: nobody listens */
    check_fails(__LINE__, rill_open_unix_connection(path, NULL, &reader, &writer),
                RILL_ECONNREFUSED, "[Errno 111] Connection refused");
    CHECK_INT(rill_start_unix_server(echo, NULL, path, NULL, &server), 0); /* */
    check_exchange(__LINE__, path);
    end_server(server);
    CHECK(!exists("s"));

    make_file("s"); /* */
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, path, NULL, &server), RILL_EOS,
                "[Errno 98] Address 's' is already in use");
    CHECK(exists("s") && unlink("s") == 0);
    CHECK_INT(mkdir("s", 0700), 0);
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, path, NULL, &server), RILL_EOS,
                "[Errno 98] Address 's' is already in use");
    CHECK_INT(rmdir("s"), 0);

    make_file("f"); /* */
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, rill_bytes_of("f/s"), NULL, &server),
                RILL_ENOTDIRECTORY, "[Errno 20] Not a directory");
    CHECK_STR(world->log.text, "Unable to check or remove stale UNIX socket 'f/s': "
                               "NotADirectoryError(20, 'Not a directory')");
    CHECK_INT(unlink("f"), 0);
    return 0;
}

/* A folder in which sockets may be made but not removed, by failing calls. */
static int no_permission(void *arg)
{
    const struct rill_bytes path = rill_bytes_of("s");
    const struct rill_unix_server_options keep = {.cleanup_socket = RILL_SET(0)};
    struct world *world = arg;
    struct rill_server *server;

    world->stat_errno = EACCES;
    CHECK_INT(rill_start_unix_server(echo, NULL, path, &keep, &server), 0);
    CHECK_STR(world->log.text, "Unable to check or remove stale UNIX socket 's': "
                               "PermissionError(13, 'Permission denied')");
    check_exchange(__LINE__, path);
    end_server(server);
    world->log = (struct trace){0};
    world->stat_errno = 0;
    world->unlink_errno = EPERM;
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, path, NULL, &server), RILL_EOS,
                "[Errno 98] Address 's' is already in use");
    CHECK_STR(world->log.text, "Unable to check or remove stale UNIX socket 's': "
                               "PermissionError(1, 'Operation not permitted')");
    CHECK_INT(unlink("s"), 0);
    /* The server that is to remember its file cannot look at it: as os.stat says. */
    world->log = (struct trace){0};
    world->unlink_errno = 0;
    world->stat_errno = EACCES;
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, path, NULL, &server), RILL_EPERMISSION,
                "[Errno 13] Permission denied: 's'");
    CHECK_INT(unlink("s"), 0);
    return 0;
}

/* an abstract name has no file to remove. */
static int abstract_taken(void *arg)
{
    char text[64];
    char want[128];
    struct rill_server *first;
    struct rill_server *second;
    (void)arg;

    const int length = snprintf(text, sizeof text, "%crill-taken-%d", 0, (int)getpid());
    const struct rill_bytes name = {text, (size_t)length};
    CHECK_INT(rill_start_unix_server(echo, NULL, name, NULL, &first), 0);
    snprintf(want, sizeof want, "[Errno 98] Address '\\x00rill-taken-%d' is already in use",
             (int)getpid());
    CHECK_INT(rill_start_unix_server(echo, NULL, name, NULL, &second), RILL_EOS);
    CHECK_STR(rill_task_error()->text, want);
    end_server(first);
    CHECK_INT(rill_start_unix_server(echo, NULL, name, NULL, &second), 0);
    end_server(second);
    return 0;
}

/* -- the file at the end (R-720, R-722) ------------------------------------------------------ */

static int file_at_close(void *arg)
{
    const struct rill_bytes path = rill_bytes_of("s");
    const struct rill_unix_server_options idle = {.start_serving = RILL_SET(0)};
    struct world *world = arg;
    struct rill_server *server;
    struct rill_server *second;
    struct rill_reader *reader;
    struct rill_writer *writer;

    /* Not serving: refused, and the file goes as well. */
    CHECK_INT(rill_start_unix_server(echo, NULL, path, &idle, &server), 0);
    check_fails(__LINE__, rill_open_unix_connection(path, NULL, &reader, &writer),
                RILL_ECONNREFUSED, "[Errno 111]");
    end_server(server);
    CHECK(!exists("s"));
    /* Gone already. */
    CHECK_INT(rill_start_unix_server(echo, NULL, path, NULL, &server), 0);
    CHECK_INT(unlink("s"), 0);
    end_server(server);
    /* Replaced by a file, and by another server: not ours any more. */
    CHECK_INT(rill_start_unix_server(echo, NULL, path, NULL, &server), 0);
    CHECK_INT(rename("s", "old"), 0); /* so that the inode is not used again */
    make_file("s");
    end_server(server);
    CHECK(exists("s") && unlink("s") == 0 && unlink("old") == 0);
    CHECK_INT(rill_start_unix_server(echo, NULL, path, NULL, &server), 0);
    CHECK_INT(link("s", "old"), 0);
    CHECK_INT(rill_start_unix_server(echo, NULL, path, NULL, &second), 0);
    end_server(server);
    check_exchange(__LINE__, path);
    end_server(second);
    CHECK(!exists("s") && unlink("old") == 0);
    /* What cannot be removed is logged. */
    CHECK_STR(world->log.text, "");
    CHECK_INT(rill_start_unix_server(echo, NULL, path, NULL, &server), 0);
    world->unlink_errno = EACCES;
    end_server(server);
    CHECK_STR(world->log.text, "Unable to clean up listening UNIX socket 's': "
                               "PermissionError(13, 'Permission denied')");
    CHECK_INT(unlink("s"), 0);
    return 0;
}

static int bound_socket(const char *path)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(name.sun_path, sizeof name.sun_path, "%s", path);
    CHECK_INT(bind(fd, (struct sockaddr *)(void *)&name, sizeof name), 0);
    return fd;
}

/* A socket that was passed in: its file is removed too, unless it never became a server. */
static int passed_in(void *arg)
{
    const struct rill_bytes none = {0};
    struct world *world = arg;
    struct rill_server *server;

    int fd = bound_socket("s");
    const struct rill_unix_server_options options = {.sock = RILL_SET(fd)};
    CHECK_INT(rill_start_unix_server(echo, NULL, none, &options, &server), 0);
    check_exchange(__LINE__, rill_bytes_of("s"));
    end_server(server);
    CHECK(!exists("s"));

    fd = bound_socket("s");
    const struct rill_unix_server_options failing = {.sock = RILL_SET(fd)};
    world->listen_errno = EADDRINUSE;
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, none, &failing, &server), RILL_EOS,
                "[Errno 98]");
    CHECK(exists("s") && close(fd) == 0 && unlink("s") == 0);
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, rill_bytes_of("own"), NULL, &server),
                RILL_EOS, "[Errno 98]");
    CHECK(!exists("own"));
    world->listen_errno = 0;

    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0); /* */
    const struct rill_unix_server_options unbound = {.sock = RILL_SET(fd)};
    const struct rill_unix_server_options unnoted = {.sock = RILL_SET(fd),
                                                     .cleanup_socket = RILL_SET(0)};
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, none, &unbound, &server), RILL_EINDEX,
                "string index out of range");
    check_fails(__LINE__, rill_start_unix_server(echo, NULL, none, &unnoted, &server), RILL_EOS,
                "[Errno 22] Invalid argument");
    CHECK_INT(close(fd), 0);
    return 0;
}

/* As in asyncio: when the listener's backlog is full, connect's EAGAIN is taken for "in progress",
 * the socket that is not connected is writable at once, and the first read tells. */
static int full_backlog(void *arg)
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_writer *first;
    struct rill_address address;
    struct rill_bytes data;
    (void)arg;

    const int fd = bound_socket("s");
    CHECK_INT(listen(fd, 0), 0);
    CHECK_INT(rill_open_unix_connection(rill_bytes_of("s"), NULL, &reader, &first), 0);
    CHECK(rill_writer_get_peername(first, &address));
    CHECK_INT(rill_open_unix_connection(rill_bytes_of("s"), NULL, &reader, &writer), 0);
    CHECK(!rill_writer_get_peername(writer, &address));
    check_fails(__LINE__, rill_reader_read(reader, 1, &data), RILL_EOS,
                "[Errno 22] Invalid argument");
    rill_writer_free(writer);
    rill_writer_free(first);
    CHECK(close(fd) == 0 && unlink("s") == 0);
    return 0;
}

/* The loop ends before the server was closed: the socket is closed, the file stays, as in asyncio.
 */
static int never_closed(void *arg)
{
    struct rill_server *server;
    (void)arg;
    CHECK_INT(rill_start_unix_server(echo, NULL, rill_bytes_of("s"), NULL, &server), 0);
    rill_server_free(server);
    return 0;
}

static void test_never_closed(void)
{
    char folder[] = "/tmp/rill-unix-XXXXXX";
    const size_t before = open_descriptors();
    CHECK(mkdtemp(folder) != NULL && chdir(folder) == 0);
    CHECK_INT(rill_run(never_closed, NULL, NULL), 0);
    CHECK_INT((long long)open_descriptors(), (long long)before);
    CHECK_INT(unlink("s"), 0);
    CHECK(chdir("/") == 0 && rmdir(folder) == 0);
}

/* -- protocols ------------------------------------------------------------------------------- */

struct counting {
    struct rill_protocol protocol;
    struct rill_transport *transport;
    size_t received;
    int lost;
};

static void made(struct rill_protocol *self, struct rill_transport *transport)
{
    struct counting *counting = (struct counting *)(void *)self;
    counting->transport = transport;
}

static int received(struct rill_protocol *self, struct rill_bytes data)
{
    struct counting *counting = (struct counting *)(void *)self;
    counting->received += data.len;
    return 0;
}

static void lost(struct rill_protocol *self, const struct rill_error *error)
{
    struct counting *counting = (struct counting *)(void *)self;
    CHECK(error == NULL);
    counting->lost++;
}

static const struct rill_protocol_ops counting_ops = {
    .connection_made = made, .data_received = received, .connection_lost = lost};

static struct rill_protocol *counting_of(void *arg)
{
    struct counting *counting = arg;
    counting->protocol.ops = &counting_ops;
    return &counting->protocol;
}

static int protocols(void *arg)
{
    const struct rill_bytes path = rill_bytes_of("s");
    struct counting there = {0};
    struct counting here = {0};
    struct rill_server *server;
    struct rill_transport *transport;
    struct rill_protocol *protocol;
    (void)arg;

    CHECK_INT(rill_create_unix_server(counting_of, &there, path, NULL, &server), 0);
    CHECK_INT(rill_create_unix_connection(counting_of, &here, path, NULL, &transport, &protocol),
              0);
    CHECK(protocol == &here.protocol && here.transport == transport);
    CHECK_INT(rill_transport_write(transport, "12345", 5, NULL), 0);
    rill_sleep(0.01);
    CHECK_INT((long long)there.received, 5);
    rill_transport_close(transport);
    rill_transport_unref(transport);
    end_server(server);
    CHECK(here.lost == 1 && there.lost == 1);
    return 0;
}

int main(void)
{
    static const struct {
        int line;
        rill_task_fn *fn;
    } rows[] = {
        {__LINE__, names},         {__LINE__, bad_arguments},  {__LINE__, stale_files},
        {__LINE__, no_permission}, {__LINE__, abstract_taken}, {__LINE__, file_at_close},
        {__LINE__, passed_in},     {__LINE__, protocols},      {__LINE__, full_backlog},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        run_world(rows[i].line, rows[i].fn);
    }
    test_never_closed();
    return check_report("unix");
}
