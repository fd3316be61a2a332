/* SPDX-License-Identifier: MIT
 *
 * The options of the calls that connect and serve (PROTOCOL.md, section 6), as the library takes
 * them.
 */
#ifndef TESTEE_OPTIONS_H
#define TESTEE_OPTIONS_H

#include "replay.h"

/* The keys of all options, for the check of a script; space between them. */
#define OPTION_KEYS                                                                                \
    "limit family proto flags local_host local_port local_port_of happy_eyeballs_delay "           \
    "interleave all_errors server_hostname ssl_handshake_timeout ssl_shutdown_timeout backlog "    \
    "reuse_address reuse_port keep_alive start_serving cleanup_socket sock ssl "                   \
    "insecure_skip_hostname"
#define TLS_OPTION_KEYS                                                                            \
    "server_hostname ssl_handshake_timeout ssl_shutdown_timeout insecure_skip_hostname"

/* `sock` is made here. */
struct rill_connection_options options_of_connection(struct replay *replay, const json_t *call);
struct rill_unix_connection_options options_of_unix_connection(struct replay *replay,
                                                               const json_t *call);
struct rill_server_options options_of_server(struct replay *replay, const json_t *call);
struct rill_unix_server_options options_of_unix_server(struct replay *replay, const json_t *call);

struct rill_start_tls_options options_of_start_tls(const json_t *call);

/* The port as text, for rill takes text; NULL: not given. key: `port` or `local_port`. */
const char *port_argument(struct replay *replay, const json_t *call, const char *key);

#endif
