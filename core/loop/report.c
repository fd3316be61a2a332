/* SPDX-License-Identifier: MIT
 *
 * What the loop says: its log and its exception handler.
 */
#include "loop/loop.h"

#include <stdarg.h>
#include <stdio.h>

#include "loop/tasks.h"

#define LOG_TEXT_SIZE 2048

static void log_text(struct rill_loop *loop, enum rill_log_level level, const char *text,
                     const struct rill_error *exception)
{
    if (loop->log != NULL) {
        loop->log(loop->log_arg, level, text, exception);
    } else if (level >= RILL_LOG_WARNING) { /* Python's logging.lastResort */
        fprintf(stderr, "%s\n", text);
        if (exception != NULL) {
            rill__print_error(exception->code, exception->text);
        }
    }
}

/* Python's last traceback line. */
void rill__print_error(int code, const char *text)
{
    const char *module = rill_error_module(code);
    fprintf(stderr, "%s%s%s%s%s\n", module, module[0] != '\0' ? "." : "", rill_error_name(code),
            text[0] != '\0' ? ": " : "", text);
}

void rill__log(struct rill_loop *loop, enum rill_log_level level, const char *format, ...)
{
    char text[LOG_TEXT_SIZE];
    va_list list;

    if (loop->log == NULL && level < RILL_LOG_WARNING) {
        return;
    }
    va_start(list, format);
    vsnprintf(text, sizeof text, format, list);
    va_end(list);
    log_text(loop, level, text, NULL);
}

/* Appends one `key: value` line; the keys come sorted. */
static void add_line(char *text, size_t size, size_t *used, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

static void add_line(char *text, size_t size, size_t *used, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    const int count = vsnprintf(text + *used, size - *used, format, list);
    va_end(list);
    if (count > 0) {
        *used += (size_t)count < size - *used ? (size_t)count : size - *used - 1;
    }
}

/* loop.default_exception_handler(): first line the message, then one line for each other key,
 * sorted by name, then the exception. */
static void default_handler(struct rill_loop *loop, const struct rill_exception_context *context)
{
    char text[LOG_TEXT_SIZE];
    size_t used = 0;

    add_line(text, sizeof text, &used, "%s",
             context->message != NULL ? context->message : "Unhandled exception in event loop");
    if (context->has_future) {
        add_line(text, sizeof text, &used, "\nfuture: <Task finished name='%s'>",
                 context->task != NULL ? rill_task_name(context->task) : "");
    }
    if (context->protocol != NULL) {
        add_line(text, sizeof text, &used, "\nprotocol: <protocol at %p>", context->protocol);
    }
    if (context->has_socket) {
        add_line(text, sizeof text, &used, "\nsocket: <socket.socket fd=%d>", context->socket);
    }
    if (context->task != NULL && !context->has_future) {
        add_line(text, sizeof text, &used, "\ntask: <Task name='%s'>",
                 rill_task_name(context->task));
    }
    if (context->transport != NULL) {
        add_line(text, sizeof text, &used, "\ntransport: <transport at %p>",
                 (void *)context->transport);
    }
    log_text(loop, RILL_LOG_ERROR, text, context->exception);
}

void rill_loop_call_exception_handler(struct rill_loop *loop,
                                      const struct rill_exception_context *context)
{
    if (loop->exception_handler != NULL) {
        loop->exception_handler(loop->exception_arg, loop, context);
    } else {
        default_handler(loop, context);
    }
}

void rill_loop_set_exception_handler(struct rill_loop *loop, rill_exception_handler *handler,
                                     void *arg)
{
    loop->exception_handler = handler;
    loop->exception_arg = arg;
}

void rill__report_callback(struct rill_loop *loop, const char *message,
                           const struct rill_error *error)
{
    const struct rill_exception_context context = {
        .message = message, .exception = error, .has_handle = true};
    rill_loop_call_exception_handler(loop, &context);
    rill_error_unref(error);
}

static bool is_os_error(int code)
{
    return code == RILL_EOS || code == RILL_ETIMEOUT ||
           (code <= RILL_ECONNRESET && code > RILL_EGROUP);
}

void rill__report_fatal(struct rill_loop *loop, const struct rill_exception_context *context)
{
    if (!is_os_error(context->exception->code)) {
        rill_loop_call_exception_handler(loop, context);
    } else if (loop->debug) {
        rill__log(loop, RILL_LOG_DEBUG, "%s", context->message);
    }
}
