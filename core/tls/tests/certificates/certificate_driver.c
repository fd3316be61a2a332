/* SPDX-License-Identifier: MIT
 *
 * The certificate matrix's driver: asks rill for its verdict on a peer. It is told over a plain
 * connection what to try, one line each, fields apart by tabs, and answers with one line:
 *
 *     client PORT NAME TRUST FLAGS SKIP      connect, ask for NAME, trust the file TRUST or
 * `system` server CHAIN KEY TRUST FLAGS MODE      serve one connection, judge its client
 *
 * FLAGS is `default` or the number of rill_ssl_verify_flags; SKIP is `no` or what is insecure:
 * `option`, `context`, `all`; MODE is `required` or `optional`. A server answers `port N`, then
 * waits for a line before it answers with the verdict, `accept`, or class, reason, verification
 * code, its message and the text of an error.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <rill/rill.h>

enum { FIELDS = 6, LINE_MAX_BYTES = 4096 };

struct control {
    struct rill_reader *reader;
    struct rill_writer *writer;
    const struct rill_error *logged; /* the last error that the loop logged; a reference */
};

struct request {
    char line[LINE_MAX_BYTES];
    const char *fields[FIELDS];
};

static const char answer_expected[] = "ok";

/* Empty fields count: an empty name is one of the questions. */
static size_t split(struct request *request)
{
    size_t count = 0;
    char *rest = request->line;

    while (rest != NULL && count < FIELDS) {
        char *const end = strchr(rest, '\t');
        if (end != NULL) {
            *end = '\0';
        }
        request->fields[count++] = rest;
        rest = end != NULL ? end + 1 : NULL;
    }
    return count;
}

static int say(const struct control *control, const char *text)
{
    const int rc = rill_writer_write(control->writer, text, strlen(text));
    return rc < 0 ? rc : rill_writer_drain(control->writer);
}

static int say_verdict(const struct control *control, const struct rill_error *error)
{
    char line[LINE_MAX_BYTES];

    if (error == NULL) {
        return say(control, "accept\n");
    }
    snprintf(line, sizeof line, "%s\t%s\t%d\t%s\t%s\n", rill_error_name(error->code),
             error->reason != NULL ? error->reason : "-", error->verify_code,
             error->verify_message != NULL ? error->verify_message : "-", error->text);
    return say(control, line);
}

/* -- a client --------------------------------------------------------------------------------- */

static int set_up(struct rill_ssl_context *context, const char *trust, const char *flags,
                  const struct rill_error **error)
{
    const struct rill_bytes none = {NULL, 0};
    int rc = rill_ssl_context_load_verify_locations(context, trust, NULL, none, error);

    if (rc == 0 && strcmp(flags, "default") != 0) {
        rc = rill_ssl_context_set_verify_flags(context, (unsigned)strtoul(flags, NULL, 10), error);
    }
    return rc;
}

/* Connected is not enough: a byte of the peer's has to come. */
static const struct rill_error *connect_once(const char *port,
                                             const struct rill_connection_options *options)
{
    struct rill_reader *reader;
    struct rill_writer *writer;
    struct rill_bytes data;
    const struct rill_error *error = NULL;

    if (rill_open_connection("127.0.0.1", port, options, &reader, &writer) < 0) {
        return rill_error_ref(rill_task_error());
    }
    if (rill_reader_readexactly(reader, (ssize_t)strlen(answer_expected), &data) < 0) {
        error = rill_error_ref(rill_task_error());
    } else if (memcmp(data.ptr, answer_expected, data.len) != 0) {
        error = rill_error_new(RILL_EUSER, "the peer sent something else");
    }
    rill_writer_close(writer);
    rill_writer_wait_closed(writer);
    rill_writer_free(writer);
    return error;
}

/* The context that a request describes: the caller's reference, or rill_ssl_default. */
static struct rill_ssl_context *client_context(const char *const *fields,
                                               const struct rill_error **error)
{
    struct rill_ssl_context *context = NULL;

    if (strcmp(fields[3], "system") == 0) {
        return rill_ssl_default;
    }
    if (rill_ssl_context_new_client(&context, error) < 0 ||
        set_up(context, fields[3], fields[4], error) < 0) {
        rill_ssl_context_unref(context);
        return NULL;
    }
    if (strcmp(fields[5], "context") == 0) {
        rill_ssl_context_insecure_skip_hostname(context);
    } else if (strcmp(fields[5], "all") == 0) {
        rill_ssl_context_insecure_skip_verification(context);
    }
    return context;
}

static int try_client(const struct control *control, const struct request *request)
{
    const char *const *const fields = request->fields;
    const struct rill_error *error = NULL;
    struct rill_ssl_context *const context = client_context(fields, &error);

    if (context != NULL) {
        const struct rill_connection_options options = {
            .ssl = context,
            .server_hostname = fields[2],
            .insecure_skip_hostname = strcmp(fields[5], "option") == 0,
        };
        error = connect_once(fields[1], &options);
    }
    const int rc = say_verdict(control, error);
    rill_error_unref(error);
    if (context != rill_ssl_default) {
        rill_ssl_context_unref(context);
    }
    return rc;
}

/* -- a server --------------------------------------------------------------------------------- */

static int serve(struct rill_reader *reader, struct rill_writer *writer, void *arg)
{
    size_t *const served = arg;

    (void)reader;
    (*served)++;
    rill_writer_write(writer, answer_expected, strlen(answer_expected));
    rill_writer_close(writer);
    rill_writer_wait_closed(writer); /* how the peer ends is not what is asked */
    return 0;
}

static int serve_once(struct control *control, struct rill_ssl_context *context, size_t *served)
{
    const struct rill_server_options options = {.ssl = context};
    struct rill_server *server;
    struct rill_address address;
    struct rill_bytes line;
    char text[32];

    int rc = rill_start_server(serve, served, "127.0.0.1", "0", &options, &server);
    if (rc < 0) {
        return rc;
    }
    rill_server_sockname(server, 0, &address);
    snprintf(text, sizeof text, "port\t%d\n", address.port);
    rc = say(control, text);
    if (rc == 0) {
        rc = rill_reader_readline(control->reader, &line);
    }
    rill_server_close(server);
    rill_server_wait_closed(server);
    rill_server_free(server);
    return rc;
}

static int try_server(struct control *control, const struct request *request)
{
    const char *const *const fields = request->fields;
    const enum rill_ssl_client_certificate mode =
        strcmp(fields[5], "required") == 0 ? RILL_SSL_CERT_REQUIRED : RILL_SSL_CERT_OPTIONAL;
    struct rill_ssl_context *context = NULL;
    const struct rill_error *error = NULL;
    size_t served = 0;
    int rc;

    rill_error_unref(control->logged);
    control->logged = NULL;
    if (rill_ssl_context_new_server(&context, &error) < 0 ||
        rill_ssl_context_load_cert_chain(context, fields[1], fields[2], NULL, &error) < 0 ||
        set_up(context, fields[3], fields[4], &error) < 0 ||
        rill_ssl_context_verify_client(context, mode, &error) < 0) {
        rc = say_verdict(control, error);
    } else if (serve_once(control, context, &served) < 0) {
        rc = say_verdict(control, rill_task_error());
    } else if (served > 0) {
        rc = say_verdict(control, NULL);
    } else if (control->logged != NULL) {
        rc = say_verdict(control, control->logged);
    } else {
        rc = say(control, "refuse\n");
    }
    rill_error_unref(error);
    rill_ssl_context_unref(context);
    return rc;
}

/* -- the control connection -------------------------------------------------------------------- */

static void note_log(void *arg, enum rill_log_level level, const char *text,
                     const struct rill_error *exception)
{
    struct control *const control = arg;

    if (exception != NULL) {
        rill_error_unref(control->logged);
        control->logged = rill_error_ref(exception);
    } else if (level >= RILL_LOG_ERROR) { /* warnings: slow callbacks, under instruments */
        fprintf(stderr, "certificate_driver: %s\n", text);
    }
}

static int obey(struct control *control)
{
    struct rill_bytes line;
    struct request request;
    int rc;

    while ((rc = rill_reader_next_line(control->reader, &line)) > 0) {
        if (line.len == 0 || line.len >= sizeof request.line) {
            return RILL_EUSER;
        }
        memcpy(request.line, line.ptr, line.len);
        request.line[line.len - 1] = '\0'; /* its newline */
        if (split(&request) != FIELDS) {
            return RILL_EUSER;
        }
        rc = strcmp(request.fields[0], "client") == 0 ? try_client(control, &request)
                                                      : try_server(control, &request);
        if (rc < 0) {
            return rc;
        }
    }
    return rc;
}

struct program {
    const char *port;
    struct control control;
};

static int run(void *arg)
{
    struct program *const program = arg;
    struct control *const control = &program->control;

    int rc =
        rill_open_connection("127.0.0.1", program->port, NULL, &control->reader, &control->writer);
    if (rc < 0) {
        return rc;
    }
    rc = obey(control);
    rill_writer_close(control->writer);
    rill_writer_wait_closed(control->writer);
    rill_writer_free(control->writer);
    return rc;
}

int main(int argc, char **argv)
{
    struct program program = {.port = argc == 2 ? argv[1] : NULL};
    const struct rill_run_options options = {
        /* Handshakes that fail at a server are told in debug mode only. */
        .loop = {.log = note_log, .log_arg = &program.control, .debug = RILL_SET(1)},
    };

    if (program.port == NULL) {
        fprintf(stderr, "usage: certificate_driver PORT\n");
        return 2;
    }
    const int rc = rill_run(run, &program, &options);
    if (rc < 0) {
        fprintf(stderr, "certificate_driver: %s\n", rill_error_name(rc));
    }
    rill_error_unref(program.control.logged);
    return rc < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
