/* SPDX-License-Identifier: MIT
 *
 * The certificate of a peer as Python shows it; to come.
 */
#include <rill/tls.h>
