/* SPDX-License-Identifier: MIT
 *
 * rill: CPython's asyncio streams in C. The umbrella header; see docs/asyncio-map.md for each
 * call's twin.
 */
#ifndef RILL_RILL_H
#define RILL_RILL_H

#include <rill/error.h>
#include <rill/loop.h>
#include <rill/server.h>
#include <rill/streams.h>
#include <rill/task.h>
#include <rill/transport.h>

#endif
