/* SPDX-License-Identifier: MIT
 *
 * The arguments of a call, and an obvious judge of those that section 5, 6 or 7 refuses: one rule
 * after the other, in asyncio's order.
 */
#include "simulated/protocol.h"

void arguments_decode(struct arguments *arguments, struct input *input)
{
    const unsigned first = input_byte(input);
    const unsigned second = input_byte(input);
    const unsigned third = input_byte(input);
    *arguments = (struct arguments){
        .call = first % CALL_KINDS,
        .name = first >> 3 & 3u,
        .sock = first >> 5 & 3u,
        .no_options = first >> 7 != 0,
        .ssl = second & 3u,
        .hostname = second >> 2 & 3u,
        .handshake_timeout = second >> 4 & 3u,
        .shutdown_timeout = second >> 6 & 3u,
        .limit = third & 3u,
        .backlog = third >> 2 & 3u,
        .handler = (third >> 4 & 3u) % 3u,
        .idle_at_first = (third & 64u) != 0,
        .keeps_file = (third & 128u) != 0,
        .keep_alive = (third & 128u) != 0,
        .several_hosts = (third & 192u) == 192u,
    };
    if (arguments->no_options) {
        *arguments = (struct arguments){
            .call = arguments->call, .name = arguments->name, .no_options = true};
    }
    if ((arguments->call & CALL_SERVER) == 0 && arguments->ssl == SSL_AS_TRUE) {
        arguments->ssl = SSL_CONTEXT; /* the system's certificates are no part of an input */
    }
}

void arguments_print(const struct arguments *arguments)
{
    (void)fprintf(
        stderr,
        "  call %u, name %u, sock %u, limit %u, backlog %u, ssl %u, hostname %u, timeouts "
        "%u %u, handler %u, idle %d, file %d, options %d\n",
        (unsigned)arguments->call, (unsigned)arguments->name, (unsigned)arguments->sock,
        (unsigned)arguments->limit, (unsigned)arguments->backlog, (unsigned)arguments->ssl,
        (unsigned)arguments->hostname, (unsigned)arguments->handshake_timeout,
        (unsigned)arguments->shutdown_timeout, (unsigned)arguments->handler,
        arguments->idle_at_first, arguments->keeps_file, !arguments->no_options);
}

/* -- the judge ------------------------------------------------------------------------------- */

static const struct refusal fine = {0, "", false};

static struct refusal refuse(const char *text)
{
    return (struct refusal){RILL_EVALUE, text, false};
}

static bool is(const struct arguments *arguments, unsigned bit)
{
    return (arguments->call & bit) != 0;
}

/* A Unix socket is named by a path alone. */
static bool is_named(const struct arguments *arguments)
{
    return (arguments->name != NAME_NONE &&
            !(is(arguments, CALL_UNIX) && arguments->name == NAME_PORT)) ||
           (arguments->several_hosts && arguments->call >> 1 == CALL_SERVER >> 1);
}

static struct refusal refuse_limit(const struct arguments *arguments)
{
    const bool bad = arguments->limit >= 2 && is(arguments, CALL_STREAMS);
    return bad ? refuse("Limit cannot be <= 0") : fine;
}

/* */
static struct refusal refuse_ssl(const struct arguments *arguments)
{
    const bool server = is(arguments, CALL_SERVER);
    const bool host = arguments->name == NAME_BOTH || arguments->name == NAME_HOST;
    if (server && arguments->ssl == SSL_AS_TRUE) {
        return (struct refusal){RILL_ETYPE, "ssl argument must be an SSLContext or None", false};
    }
    if (arguments->ssl != SSL_NONE) {
        if (server || arguments->hostname != 0 || (host && !is(arguments, CALL_UNIX))) {
            return fine;
        }
        return refuse(is(arguments, CALL_UNIX)
                          ? "you have to pass server_hostname when using ssl"
                          : "You must set server_hostname when using ssl without a host");
    }
    if (!server && arguments->hostname != 0) {
        return refuse("server_hostname is only meaningful with ssl");
    }
    if (arguments->handshake_timeout != 0) {
        return refuse("ssl_handshake_timeout is only meaningful with ssl");
    }
    return arguments->shutdown_timeout != 0
               ? refuse("ssl_shutdown_timeout is only meaningful with ssl")
               : fine;
}

/* */
static struct refusal refuse_sock(const struct arguments *arguments)
{
    const bool local = is(arguments, CALL_UNIX);
    const bool server = is(arguments, CALL_SERVER);
    if (is_named(arguments)) {
        return arguments->sock == SOCK_NONE ? fine
               : local ? refuse("path and sock can not be specified at the same time")
                       : refuse("host/port and sock can not be specified at the same time");
    }
    if (arguments->sock == SOCK_NONE) {
        return refuse(local && server ? "path was not specified, and no sock specified"
                      : local         ? "no path and sock were specified"
                      : server        ? "Neither host/port nor sock were specified"
                                      : "host and port was not specified and no sock specified");
    }
    if (arguments->sock == SOCK_OF_DATAGRAMS ||
        (local && arguments->sock == SOCK_OF_OTHER_FAMILY)) {
        return refuse(local ? "A UNIX Domain Stream Socket was expected, got <socket.socket fd="
                            : "A Stream Socket was expected, got <socket.socket fd=");
    }
    return fine;
}

/* for servers. */
static struct refusal refuse_timeouts(const struct arguments *arguments)
{
    struct refusal refusal = fine;
    if (arguments->ssl != SSL_NONE && arguments->shutdown_timeout >= 2) {
        refusal = refuse("ssl_shutdown_timeout should be a positive number, got ");
    }
    if (arguments->ssl != SSL_NONE && arguments->handshake_timeout >= 2) {
        refusal = refuse("ssl_handshake_timeout should be a positive number, got ");
    }
    refusal.late = !is(arguments, CALL_SERVER);
    return refusal;
}

/* behind the connect, when the session is made. */
static struct refusal refuse_hostname(const struct arguments *arguments)
{
    struct refusal refusal = fine;
    if (arguments->ssl == SSL_CONTEXT && arguments->hostname == HOSTNAME_EMPTY) {
        refusal = refuse("check_hostname requires server_hostname");
    } else if (arguments->ssl != SSL_NONE && arguments->hostname == HOSTNAME_BAD) {
        refusal = refuse("'idna' codec can't encode character");
    }
    refusal.late = true;
    return refusal;
}

struct refusal arguments_refusal(const struct arguments *arguments)
{
    const bool server = is(arguments, CALL_SERVER);
    struct refusal refusal = server ? fine : refuse_limit(arguments); /* */
    refusal = refusal.code != 0 ? refusal : refuse_ssl(arguments);
    refusal = refusal.code != 0 ? refusal : refuse_sock(arguments);
    if (refusal.code == 0 && server) {
        refusal = refuse_limit(arguments);
        if (refusal.code == 0 && arguments->backlog == 2) { /* */
            refusal = refuse("backlog must be >= 0, got -1");
        }
    }
    if (refusal.code == 0) {
        refusal = refuse_timeouts(arguments);
    }
    return refusal.code == 0 && !server ? refuse_hostname(arguments) : refusal;
}
