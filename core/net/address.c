/* SPDX-License-Identifier: MIT
 *
 * Addresses: from the kernel's form, to Python's repr, from literals.
 */
#include "net/address.h"

#include <arpa/inet.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

_Static_assert(sizeof(struct sockaddr_storage) <=
                   sizeof(((struct rill__endpoint_address *)0)->storage),
               "an address must fit");

static void from_unix(const struct sockaddr_un *from, size_t length, struct rill_address *to)
{
    const size_t offset = offsetof(struct sockaddr_un, sun_path);
    to->path_len = length > offset ? length - offset : 0;
    if (to->path_len > sizeof to->path - 1) {
        to->path_len = sizeof to->path - 1;
    }
    memcpy(to->path, from->sun_path, to->path_len);
    to->path[to->path_len] = '\0';
    if (to->path_len > 0 && to->path[0] != '\0') {
        to->path_len = strlen(to->path); /* the kernel counts the NUL of a path */
    }
}

void rill__address_from_kernel(const void *from, size_t length, struct rill_address *to)
{
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
        struct sockaddr_un path;
    } name = {.any = {.sa_family = AF_UNSPEC}};

    memset(to, 0, sizeof *to);
    memcpy(&name, from, length < sizeof name ? length : sizeof name);
    to->family = name.any.sa_family;
    if (to->family == AF_UNIX) {
        from_unix(&name.path, length, to);
    } else if (to->family == AF_INET) {
        inet_ntop(AF_INET, &name.v4.sin_addr, to->host, sizeof to->host);
        to->port = ntohs(name.v4.sin_port);
    } else if (to->family == AF_INET6) {
        getnameinfo(&name.any, sizeof name.v6, to->host, sizeof to->host, NULL, 0, NI_NUMERICHOST);
        to->port = ntohs(name.v6.sin6_port);
        to->flowinfo = ntohl(name.v6.sin6_flowinfo);
        to->scope_id = name.v6.sin6_scope_id;
    }
}

/* What socket.getsockname() gives for AF_UNIX: str for a path, bytes for an abstract name.
 */
static void add_path_repr(struct rill__text *text, const struct rill_address *address)
{
    const struct rill_bytes path = {address->path, address->path_len};
    if (path.len > 0 && path.ptr[0] == '\0') {
        rill__text_add_bytes_repr(text, path);
    } else {
        rill__text_add_str_repr(text, path);
    }
}

void rill__address_add_repr(struct rill__text *text, const struct rill_address *address)
{
    if (address->family == AF_INET) {
        rill__text_add(text, "('%s', %d)", address->host, address->port);
    } else if (address->family == AF_INET6) {
        rill__text_add(text, "('%s', %d, %u, %u)", address->host, address->port, address->flowinfo,
                       address->scope_id);
    } else if (address->family == AF_UNIX) {
        add_path_repr(text, address);
    } else {
        rill__text_add(text, "None");
    }
}

size_t rill_address_repr(const struct rill_address *address, char *text, size_t size)
{
    struct rill__text repr = {0};

    rill__address_add_repr(&repr, address);
    const size_t length = (size_t)snprintf(text, size, "%s", rill__text_of(&repr));
    rill__text_cleanup(&repr);
    return length;
}

void rill__endpoint_text(const struct rill__endpoint_address *address, char *text, size_t size)
{
    struct rill_address plain;
    rill__address_from_kernel(&address->storage, address->length, &plain);
    if (address->literal[0] != '\0') {
        snprintf(plain.host, sizeof plain.host, "%s", address->literal);
    }
    rill_address_repr(&plain, text, size);
}

bool rill__address_literal(const char *host, long port, int family,
                           struct rill__endpoint_address *to)
{
    struct sockaddr_in v4 = {.sin_family = AF_INET};
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

    memset(to, 0, sizeof *to);
    to->type = SOCK_STREAM;
    to->protocol = IPPROTO_TCP;
    to->port = port;
    snprintf(to->literal, sizeof to->literal, "%s", host);
    if ((family == AF_UNSPEC || family == AF_INET) && inet_pton(AF_INET, host, &v4.sin_addr) == 1) {
        v4.sin_port = htons((uint16_t)port);
        to->family = AF_INET;
        to->length = sizeof v4;
        memcpy(&to->storage, &v4, sizeof v4);
        return true;
    }
    if ((family == AF_UNSPEC || family == AF_INET6) &&
        inet_pton(AF_INET6, host, &v6.sin6_addr) == 1) {
        v6.sin6_port = htons((uint16_t)port);
        to->family = AF_INET6;
        to->length = sizeof v6;
        memcpy(&to->storage, &v6, sizeof v6);
        return true;
    }
    return false;
}
