/* SPDX-License-Identifier: MIT
 *
 * Sockets: their life, and the moves of whoever plays the rest of the world.
 */
#include "simulated/kernel.h"

#include <netinet/in.h>
#include <stdint.h>
#include <string.h>

void kernel_init(struct kernel *kernel)
{
    struct kernel_slab slabs[KERNEL_SLABS];
    memcpy(slabs, kernel->slabs, sizeof slabs);
    *kernel = (struct kernel){.transfer_most = SIZE_MAX};
    memcpy(kernel->slabs, slabs, sizeof slabs);
}

struct kernel_socket *kernel_socket_of(struct kernel *kernel, int fd)
{
    const int index = fd - KERNEL_FIRST_FD;
    if (index < 0 || index >= KERNEL_SOCKETS || kernel->sockets[index].state == KERNEL_FREE) {
        return NULL;
    }
    return &kernel->sockets[index];
}

size_t kernel_open_sockets(const struct kernel *kernel)
{
    size_t count = 0;
    for (size_t i = 0; i < KERNEL_SOCKETS; i++) {
        count += kernel->sockets[i].state != KERNEL_FREE ? 1 : 0;
    }
    return count;
}

static struct kernel_socket *nth(struct kernel *kernel, enum kernel_state state, bool decided,
                                 size_t index)
{
    for (size_t i = 0; i < KERNEL_SOCKETS; i++) {
        struct kernel_socket *socket = &kernel->sockets[i];
        if (socket->state == state && socket->decided == decided && index-- == 0) {
            return socket;
        }
    }
    return NULL;
}

struct kernel_socket *kernel_listener(struct kernel *kernel, size_t index)
{
    return nth(kernel, KERNEL_LISTENING, false, index);
}

static struct kernel_name name_of_port(int port)
{
    struct kernel_name name = {.length = sizeof(struct sockaddr_in)};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    v4.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    memcpy(&name.storage, &v4, sizeof v4);
    return name;
}

struct kernel_wire *kernel_dial(struct kernel_socket *listener, int port)
{
    if (listener == NULL || listener->pending_count == KERNEL_PENDING) {
        return NULL;
    }
    struct kernel_wire *wire = kernel_wire_new();
    wire->held_by_peer = true;
    wire->held_by_socket = true; /* the listener's, then the accepted one's */
    wire->peer = name_of_port(port);
    listener->pending[listener->pending_count++] = wire;
    return wire;
}

bool kernel_decide(struct kernel *kernel, size_t index, int os_errno)
{
    struct kernel_socket *socket = nth(kernel, KERNEL_CONNECTING, false, index);
    if (socket == NULL) {
        return false;
    }
    socket->decided = true;
    socket->os_errno = os_errno;
    kernel->failed += os_errno != 0 ? 1 : 0;
    return true;
}

struct kernel_wire *kernel_peer_of(struct kernel_socket *socket)
{
    if (socket == NULL || socket->wire == NULL || socket->wire->held_by_peer) {
        return NULL;
    }
    socket->wire->held_by_peer = true;
    return socket->wire;
}
