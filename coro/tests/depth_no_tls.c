/* SPDX-License-Identifier: MIT
 *
 * Stands in for depth_tls.c where OpenSSL 3 is missing; the test says so.
 */
#include "depth.h"

int depth_tls_handshake(void)
{
    return 1;
}
