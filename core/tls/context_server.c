/* SPDX-License-Identifier: MIT
 *
 * To come.
 */
#include "tls/context.h"
