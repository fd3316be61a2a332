/* SPDX-License-Identifier: MIT
 *
 * rill-testee: replays conformance scripts on rill. It speaks conformance/PROTOCOL.md on its
 * standard input and output, uses rill's public headers only, and holds no message text of asyncio:
 * what it tells is what the library said.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "backend.h"
#include "case.h"
#include "contexts.h"

enum { REASON_SIZE = 160 };

static void say_hello(const struct wire *wire)
{
    static const char *const capabilities[] = {
        "core",        "virtual-clock",  "half-close",      "server",
        "protocol",    "timeout-scope",  "uncancel",        "task-group",
        "cancel-text", "all-errors",     "tuple-separator", "close-clients",
        "keep-alive",  "happy-eyeballs", "cleanup-socket",  "ssl-shutdown-timeout",
        "tls",         "start-tls",      "tls-extras",
    };
    json_t *names = json_array();
    for (size_t i = 0; i < sizeof capabilities / sizeof capabilities[0]; i++) {
        json_array_append_new(names, json_string(capabilities[i]));
    }
    wire_send(wire,
              json_pack("{s:s, s:i, s:s, s:s, s:s, s:o, s:o}", "ev", "hello", "protocol", 1, "name",
                        "rill", "version", TESTEE_VERSION, "implementation", "rill", "capabilities",
                        names, "backends", backend_names()),
              true);
}

static void answer(const struct testee *testee, const json_t *script)
{
    char reason[REASON_SIZE];
    if (case_refuse(script, reason, sizeof reason)) {
        wire_send(&testee->wire, json_pack("{s:s, s:s}", "ev", "skip", "reason", reason), true);
    } else {
        contexts_prepare(testee->contexts, script);
        case_run(testee, script);
    }
}

static void serve(const struct testee *testee)
{
    json_t *message;
    say_hello(&testee->wire);
    while ((message = wire_receive(&testee->wire)) != NULL) {
        const bool quit = json_object_get(message, "quit") != NULL;
        if (!quit) {
            answer(testee, message);
        }
        json_decref(message);
        if (quit) {
            break;
        }
    }
}

int main(void)
{
    /* A stray print must not end up among the messages. */
    const int output = dup(STDOUT_FILENO);
    dup2(STDERR_FILENO, STDOUT_FILENO);
    struct testee testee = {.wire = {.source = stdin, .sink = fdopen(output, "wb")},
                            .allocations = allocations_new(),
                            .contexts = contexts_new()};
    if (testee.wire.sink == NULL || testee.allocations == NULL || testee.contexts == NULL) {
        fprintf(stderr, "rill-testee: cannot start\n");
        return EXIT_FAILURE;
    }
    serve(&testee);
    fclose(testee.wire.sink);
    contexts_free(testee.contexts);
    allocations_free(testee.allocations);
    return EXIT_SUCCESS;
}
