/* SPDX-License-Identifier: MIT
 *
 * A kernel in memory, for a loop that never waits: clock, poller, sockets, look-ups of names,
 * helper threads that are none. A socket of rill's is one end of a wire; whoever plays holds the
 * other and moves it between the loop's turns. Nothing happens by itself, and the same moves give
 * the same run.
 */
#ifndef FUZZ_KERNEL_H
#define FUZZ_KERNEL_H

#include <netdb.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include <rill/bytes.h>
#include <rill/loop.h>
#include <rill/option.h>
#include <rill/sys.h>

/* No power of two is between the descriptors: the loop's table has room for all once it has any. */
enum {
    KERNEL_SOCKETS = 48,
    KERNEL_FIRST_FD = 1024,
    KERNEL_PENDING = 16,
    KERNEL_ANSWERS = 8,
    KERNEL_SLABS = 8
};

enum kernel_call {
    KERNEL_SOCKET,
    KERNEL_CONNECT,
    KERNEL_BIND,
    KERNEL_LISTEN,
    KERNEL_ACCEPT,
    KERNEL_GETSOCKNAME,
    KERNEL_GETPEERNAME,
    KERNEL_GETSOCKOPT,
    KERNEL_SETSOCKOPT,
    KERNEL_SET_NONBLOCKING,
    KERNEL_RECEIVE,
    KERNEL_SEND,
    KERNEL_SHUTDOWN,
    KERNEL_CLOSE,
    KERNEL_STAT,
    KERNEL_UNLINK,
    KERNEL_CALLS
};

/* The calls number `first` to `first + count - 1` of one kind fail. */
struct kernel_fault {
    enum kernel_call call;
    size_t first; /* 0: none */
    size_t count;
    int os_errno;
};

struct kernel_name {
    struct sockaddr_storage storage;
    unsigned length; /* 0: none */
};

/* Bytes under way in one direction. */
struct kernel_pipe {
    char *data;
    size_t used;
    size_t size;
};

/* A connection between a socket and whoever plays; freed when both have let go. */
struct kernel_wire {
    struct kernel_pipe in;  /* towards the socket */
    struct kernel_pipe out; /* from it */
    struct rill_opt_int window;
    struct kernel_name peer;
    bool in_ended;    /* the peer shut its write side */
    bool peer_closed; /* the socket's sends answer EPIPE */
    bool reset;       /* the socket's next call answers ECONNRESET, once */
    bool out_ended;   /* the socket shut its write side, or is closed */
    bool held_by_socket;
    bool held_by_peer;
};

enum kernel_state {
    KERNEL_FREE,
    KERNEL_NEW,
    KERNEL_CONNECTING,
    KERNEL_CONNECTED,
    KERNEL_LISTENING
};

struct kernel_socket {
    enum kernel_state state;
    int family;
    int type;
    struct kernel_name own;
    struct kernel_wire *wire;
    bool decided;                                /* of a connect in progress */
    int os_errno;                                /* SO_ERROR then */
    struct kernel_wire *pending[KERNEL_PENDING]; /* of a listening socket */
    size_t pending_count;
};

/* Memory for coroutine stacks; the same layout in every run. */
struct kernel_slab {
    char *base;
    size_t length;  /* 0: none yet */
    size_t guarded; /* bytes up to the end of the last guard page */
    bool used;
};

/* What connect() does. */
enum kernel_outcome { KERNEL_AT_ONCE, KERNEL_LATER, KERNEL_REFUSED_AT_ONCE };

struct kernel {
    double now; /* seconds; moves only by whoever plays */
    struct kernel_socket sockets[KERNEL_SOCKETS];
    size_t made[KERNEL_CALLS]; /* calls of each kind */
    struct kernel_fault fault;
    size_t failed;        /* calls that a fault or an outcome made fail */
    size_t transfer_most; /* bytes of one receive or send */
    bool no_socket_file;  /* stat of a Unix socket's path finds none */

    enum kernel_outcome outcome; /* of the connects to come */
    int outcome_errno;

    int lookup_status; /* EAI code of the look-ups to come */
    size_t answers;    /* addresses that each finds */
    unsigned families; /* bit i: the i-th is of IPv6 */
    bool jobs_wait;    /* jobs end only by kernel_run_jobs */

    struct kernel_slab slabs[KERNEL_SLABS]; /* outlive runs */
};

/* For a run. The first time all of it must be zero. */
void kernel_init(struct kernel *kernel);

/* The clock and the system calls of a loop on this kernel; every loop polls the kernel of its
 * table.
 */
struct rill_clock kernel_clock(struct kernel *kernel);
struct rill_sys kernel_sys(struct kernel *kernel);
/* The calls for stacks, of such a table. */
void kernel_add_stacks(struct rill_sys *sys);

/* How many descriptors are open. */
size_t kernel_open_sockets(const struct kernel *kernel);

/* The socket behind a descriptor, or NULL. */
struct kernel_socket *kernel_socket_of(struct kernel *kernel, int fd);

/* A listening socket, or NULL, counted from the first. */
struct kernel_socket *kernel_listener(struct kernel *kernel, size_t index);

/* Somebody connects from the port given: the wire is the caller's; NULL: nobody takes it. */
struct kernel_wire *kernel_dial(struct kernel_socket *listener, int port);

/* A connect in progress ends, counted from the first; false: there is none. */
bool kernel_decide(struct kernel *kernel, size_t index, int os_errno);

/* The peer's end of a connected socket, which is the caller's from now on. */
struct kernel_wire *kernel_peer_of(struct kernel_socket *socket);

/* Wires, as a socket uses them: bytes, or -errno. */
struct kernel_wire *kernel_wire_new(void);
long kernel_wire_receive(struct kernel_wire *wire, char *space, size_t size);
long kernel_wire_send(struct kernel_wire *wire, const char *data, size_t size);
bool kernel_wire_readable(const struct kernel_wire *wire);
bool kernel_wire_writable(const struct kernel_wire *wire);
void kernel_wire_let_go(struct kernel_wire *wire, bool by_socket);

/* Helper threads: what was given to one runs when it is asked for, all of it. */
void kernel_run_jobs(struct kernel *kernel);

/* A wire's far end, for connection.h. */
extern const struct peer_ops kernel_peer_ops;

#endif
