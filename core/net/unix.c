/* SPDX-License-Identifier: MIT
 *
 * Unix sockets: paths and abstract names, stale files, and the file's removal (section 7).
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "loop/loop.h"
#include "net/address.h"
#include "sansio/memory.h"

static bool is_abstract(struct rill_bytes path)
{
    return path.len > 0 && path.ptr[0] == '\0';
}

/* Python's sockaddr: an abstract name may fill sun_path, a path leaves room for its NUL. 0,
 * or a code with *error. */
static int address_of(struct rill_bytes path, struct rill__endpoint_address *address,
                      const struct rill_error **error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    const size_t most = sizeof name.sun_path - (path.len == 0 || is_abstract(path) ? 0 : 1);

    if (path.len > most) {
        *error = rill_error_from_errno_text(0, "AF_UNIX path too long");
        return (*error)->code;
    }
    *address = (struct rill__endpoint_address){.family = AF_UNIX, .type = SOCK_STREAM};
    if (path.len > 0) {
        memcpy(name.sun_path, path.ptr, path.len);
    }
    address->length = (unsigned)(offsetof(struct sockaddr_un, sun_path) + path.len);
    if (path.len > 0 && !is_abstract(path)) {
        address->length++;
    }
    memcpy(&address->storage, &name, sizeof name);
    return 0;
}

static int fail_errno(int os_errno, const struct rill_error **error)
{
    *error = rill_error_from_errno(os_errno);
    return (*error)->code;
}

static int new_socket(struct rill_loop *loop, const struct rill_error **error)
{
    const int fd = loop->sys->socket(loop->sys->arg, AF_UNIX, SOCK_STREAM, 0);
    if (fd < 0) {
        return fail_errno(errno, error);
    }
    const int rc = rill__set_nonblocking(loop, fd);
    if (rc < 0) {
        rill__close(loop, fd);
        return fail_errno(-rc, error);
    }
    return fd;
}

int rill__unix_connect(struct rill_loop *loop, struct rill_bytes path,
                       const struct rill_error **error)
{
    struct rill__endpoint_address address;

    *error = NULL;
    const int fd = new_socket(loop, error);
    if (fd < 0) {
        return fd;
    }
    int rc = address_of(path, &address, error);
    rc = rc < 0 ? rc : rill__connect_socket(loop, fd, &address, error);
    if (rc < 0) {
        rill__close(loop, fd);
        return rc;
    }
    return fd;
}

/* repr() of the OSError: its class by errno, and its arguments. */
static void add_error_repr(struct rill__text *text, int os_errno)
{
    const char *name = rill_error_name(rill_error_code_of_errno(os_errno));
    rill__text_add(text, "%s(%d, ", name, os_errno);
    rill__text_add_str_repr(text, rill_bytes_of(strerror(os_errno)));
    rill__text_add(text, ")");
}

static void log_failure(struct rill_loop *loop, const char *what, struct rill_bytes path,
                        int os_errno)
{
    struct rill__text text = {0};

    rill__text_add_str_repr(&text, path);
    rill__text_add(&text, ": ");
    add_error_repr(&text, os_errno);
    rill__log(loop, RILL_LOG_ERROR, "%s %s", what, rill__text_of(&text));
    rill__text_cleanup(&text);
}

/* a socket's file goes, whoever serves it. Where that is not possible the bind will
 * say so. */
static int remove_stale(struct rill_loop *loop, struct rill_bytes path,
                        const struct rill_error **error)
{
    const struct rill_sys *sys = loop->sys;
    struct stat status;

    if (memchr(path.ptr, '\0', path.len) != NULL) { /* */
        *error = rill_error_new(RILL_EVALUE, "stat: embedded null character in path");
        return RILL_EVALUE;
    }
    char *name = rill__alloc(path.len + 1);
    if (name == NULL) {
        *error = rill_error_no_memory();
        return RILL_ENOMEM;
    }
    memcpy(name, path.ptr, path.len);
    name[path.len] = '\0';
    int rc = sys->stat(sys->arg, name, &status);
    if (rc == 0 && S_ISSOCK(status.st_mode)) {
        rc = sys->unlink(sys->arg, name);
    }
    if (rc < 0 && errno != ENOENT) {
        log_failure(loop, "Unable to check or remove stale UNIX socket", path, errno);
    }
    rill__free(name);
    return 0;
}

/* */
static const struct rill_error *bind_failed(int os_errno, struct rill_bytes path)
{
    struct rill__text text = {0};

    if (os_errno != EADDRINUSE) {
        return rill_error_from_errno(os_errno);
    }
    rill__text_add_str_repr(&text, path);
    const struct rill_error *error =
        rill_error_from_errno_text(os_errno, "Address %s is already in use", rill__text_of(&text));
    rill__text_cleanup(&text);
    return error;
}

/* Removes what is stale and binds: 0 or a code with *error. */
static int bind_path(struct rill_loop *loop, int fd, struct rill_bytes path,
                     const struct rill_error **error)
{
    const struct rill_sys *sys = loop->sys;
    struct rill__endpoint_address address;

    if (path.len == 0) { /* Python's path[0] */
        *error = rill_error_new(RILL_EINDEX, "string index out of range");
        return RILL_EINDEX;
    }
    int rc = is_abstract(path) ? 0 : remove_stale(loop, path, error);
    rc = rc < 0 ? rc : address_of(path, &address, error);
    if (rc < 0) {
        return rc;
    }
    if (sys->bind(sys->arg, fd, (const struct sockaddr *)(const void *)&address.storage,
                  address.length) < 0) {
        *error = bind_failed(errno, path);
        return (*error)->code;
    }
    return 0;
}

int rill__unix_bind(struct rill_loop *loop, struct rill_bytes path, const struct rill_error **error)
{
    *error = NULL;
    const int fd = new_socket(loop, error);
    if (fd < 0) {
        return fd;
    }
    const int rc = bind_path(loop, fd, path, error);
    if (rc < 0) {
        rill__close(loop, fd);
        return rc;
    }
    return fd;
}

/* OSError of os.stat(path): `[Errno 13] Permission denied: '/run/x'`. */
static const struct rill_error *stat_failed(int os_errno, struct rill_bytes path)
{
    struct rill__text text = {0};
    rill__text_add_str_repr(&text, path);
    const struct rill_error *error =
        rill_error_from_errno_text(os_errno, "%s: %s", strerror(os_errno), rill__text_of(&text));
    rill__text_cleanup(&text);
    return error;
}

int rill__unix_file_of(struct rill_loop *loop, int fd, struct rill__unix_file *file,
                       const struct rill_error **error)
{
    const struct rill_sys *sys = loop->sys;
    struct stat status;

    *error = NULL;
    *file = (struct rill__unix_file){0};
    rill__own_address(loop, fd, &file->address);
    const struct rill_bytes path = {file->address.path, file->address.path_len};
    if (path.len == 0) { /* */
        *error = rill_error_new(RILL_EINDEX, "string index out of range");
        return RILL_EINDEX;
    }
    if (is_abstract(path)) {
        return 0;
    }
    if (sys->stat(sys->arg, file->address.path, &status) == 0) {
        file->exists = true;
        file->inode = status.st_ino;
        return 0;
    }
    if (errno == ENOENT) {
        return 0;
    }
    *error = stat_failed(errno, path);
    return (*error)->code;
}

void rill__unix_file_remove(struct rill_loop *loop, const struct rill__unix_file *file)
{
    const struct rill_sys *sys = loop->sys;
    const struct rill_bytes path = {file->address.path, file->address.path_len};
    struct stat status;

    if (!file->exists) {
        return;
    }
    int rc = sys->stat(sys->arg, file->address.path, &status);
    if (rc == 0 && status.st_ino == file->inode) { /* what replaced it is somebody else's */
        rc = sys->unlink(sys->arg, file->address.path);
    }
    if (rc < 0 && errno != ENOENT) {
        log_failure(loop, "Unable to clean up listening UNIX socket", path, errno);
    }
}

bool rill__is_unix_stream(struct rill_loop *loop, int fd)
{
    const struct rill_sys *sys = loop->sys;
    int family = 0;
    unsigned length = sizeof family;
    return rill__is_stream_socket(loop, fd) &&
           sys->getsockopt(sys->arg, fd, SOL_SOCKET, SO_DOMAIN, &family, &length) == 0 &&
           family == AF_UNIX;
}
