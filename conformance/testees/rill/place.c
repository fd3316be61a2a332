/* SPDX-License-Identifier: MIT
 *
 * The case's directory and the files that the script makes in it.
 */
#include "place.h"

#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "events.h"
#include "listeners.h"

#define PLACE_TEMPLATE "/tmp/rill-XXXXXX" /* short: sun_path has 108 bytes */
#define PLACE_WORD     "{dir}"

enum { TREE_DESCRIPTORS = 8, FILE_MODE = 0600, DIRECTORY_MODE = 0700 };

void place_open(struct replay *replay)
{
    if (replay->folder != NULL) {
        return;
    }
    char *folder = arena_take(&replay->arena, sizeof PLACE_TEMPLATE);
    memcpy(folder, PLACE_TEMPLATE, sizeof PLACE_TEMPLATE);
    if (mkdtemp(folder) == NULL) {
        fprintf(stderr, "rill-testee: cannot make a directory\n");
        exit(EXIT_FAILURE);
    }
    replay->folder = folder;
    emit(replay,
         json_pack("{s:s, s:s, s:s}", "ev", "place", "name", "dir", "path", replay->folder));
}

struct rill_bytes place_path(struct replay *replay, struct rill_bytes path)
{
    const size_t word = sizeof PLACE_WORD - 1;
    struct arena_buffer text = {0};
    size_t done = 0;
    while (done < path.len) {
        if (path.len - done >= word && memcmp(path.ptr + done, PLACE_WORD, word) == 0) {
            place_open(replay);
            arena_append(&replay->arena, &text, replay->folder, strlen(replay->folder));
            done += word;
        } else {
            arena_append(&replay->arena, &text, path.ptr + done, 1);
            done++;
        }
    }
    arena_append(&replay->arena, &text, "", 1); /* so that it is a C string, too */
    return (struct rill_bytes){text.memory, text.size - 1};
}

struct rill_bytes path_argument(struct replay *replay, const json_t *call, const char *key)
{
    const json_t *given = json_object_get(call, key);
    const struct rill_bytes none = {NULL, 0};
    if (given == NULL || json_is_null(given)) {
        return none;
    }
    return place_path(replay, bytes_of_json(&replay->arena, given));
}

static void make_file(struct replay *replay, struct rill_bytes path)
{
    (void)replay;
    const int fd = open(path.ptr, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, FILE_MODE);
    if (fd >= 0) {
        close(fd);
    }
}

static void make_directory(struct replay *replay, struct rill_bytes path)
{
    (void)replay;
    mkdir(path.ptr, DIRECTORY_MODE);
}

static void remove_file(struct replay *replay, struct rill_bytes path)
{
    (void)replay;
    remove(path.ptr);
}

/* A file that nobody listens at. */
static void make_socket_file(struct replay *replay, struct rill_bytes path)
{
    struct sockaddr_storage address;
    const socklen_t length = unix_address(path, &address);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)replay;
    if (fd >= 0) {
        (void)bind(fd, (const struct sockaddr *)(const void *)&address, length);
        close(fd);
    }
}

static const struct doing {
    const char *name;
    void (*act)(struct replay *replay, struct rill_bytes path);
} doings[] = {
    {"create", make_file},        {"mkdir", make_directory},      {"remove", remove_file},
    {"socket", make_socket_file}, {"listen", listener_open_unix}, {"rename", NULL},
};
enum { DOING_COUNT = sizeof doings / sizeof doings[0] };

bool place_knows(const char *what)
{
    for (size_t i = 0; what != NULL && i < DOING_COUNT; i++) {
        if (strcmp(doings[i].name, what) == 0) {
            return true;
        }
    }
    return false;
}

void place_operation(struct replay *replay, const json_t *operation)
{
    const char *what = json_string_value(json_object_get(operation, "do"));
    const struct rill_bytes path = path_argument(replay, operation, "path");
    for (size_t i = 0; i < DOING_COUNT; i++) {
        if (strcmp(doings[i].name, what) != 0) {
            continue;
        }
        if (doings[i].act != NULL) {
            doings[i].act(replay, path);
        } else {
            rename(path.ptr, path_argument(replay, operation, "to").ptr);
        }
    }
}

const char *place_kind(struct rill_bytes path)
{
    struct stat status;
    if (lstat(path.ptr, &status) != 0) {
        return "none";
    }
    if (S_ISSOCK(status.st_mode)) {
        return "socket";
    }
    return S_ISDIR(status.st_mode) ? "directory" : "file";
}

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *walk)
{
    (void)status;
    (void)kind;
    (void)walk;
    remove(path);
    return 0;
}

void place_cleanup(struct replay *replay)
{
    if (replay->folder != NULL) {
        nftw(replay->folder, remove_entry, TREE_DESCRIPTORS, FTW_DEPTH | FTW_PHYS);
        replay->folder = NULL;
    }
}
