/* SPDX-License-Identifier: MIT
 *
 * asyncio's streams: open_connection, StreamReader, StreamWriter. Calls marked "suspends" must be
 * made in a task.
 *
 * Views: a read returns a struct rill_bytes into the reader's own memory, valid until the next read
 * call on that reader or until its pair is freed, whatever arrives and whatever else suspends
 * meanwhile.
 *
 * Ownership: rill_open_connection gives the pair to the caller, who ends it with rill_writer_free
 * (the reader goes with it). A pair handed to a server's task handler belongs to the server: the
 * handler never frees it. A plain server callback owns its pair.
 *
 * Errors: a negative code; its object with text and fields is rill_task_error() in a task, and
 * rill_reader_error or rill_writer_error until the next failure on that object.
 */
#ifndef RILL_STREAMS_H
#define RILL_STREAMS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include <rill/error.h>
#include <rill/option.h>
#include <rill/tls.h>
#include <rill/transport.h>

#ifdef __cplusplus
extern "C" {
#endif

struct rill_reader;
struct rill_writer;

/* asyncio.open_connection(): suspends. host or port NULL is Python's None; port is decimal text or
 * a service name. options may be NULL. Cancelled: the socket is closed, nothing leaks.
 * Errors: section 5 of the specification. */
int rill_open_connection(const char *host, const char *port,
                         const struct rill_connection_options *options, struct rill_reader **reader,
                         struct rill_writer **writer);

/* asyncio.open_unix_connection(): suspends. path is bytes because abstract names begin with NUL;
 * ptr NULL is Python's None. `rill_bytes_of("/run/x.sock")` makes one of a C string. Errors:
 * section 7. */
int rill_open_unix_connection(struct rill_bytes path,
                              const struct rill_unix_connection_options *options,
                              struct rill_reader **reader, struct rill_writer **writer);

/* A pair over a transport in memory (no asyncio twin; the tests' and fuzzers' way in). Suspends for
 * the one iteration in which connection_made is delivered. The caller owns *peer. */
int rill_open_memory_connection(const struct rill_connection_options *options,
                                const struct rill_memory_options *memory,
                                struct rill_reader **reader, struct rill_writer **writer,
                                struct rill_memory_peer **peer);

/* -- StreamReader ---------------------------------------------------------------------------- */

/* reader.read(n): suspends while nothing is buffered. n > 0: up to n bytes, n < 0: everything to
 * EOF as one view, n == 0: empty at once. Empty otherwise means EOF. Cancelled: nothing is lost,
 * what read-to-EOF had collected goes back to the buffer. Errors: R-170, the connection's
 * (R-118). R-121 to R-127. */
int rill_reader_read(struct rill_reader *reader, ssize_t n, struct rill_bytes *data);

/* reader.readline(): one line with its \n; the unterminated rest at EOF, then empty. Suspends.
 * Cancelled: nothing is lost. A line longer than the limit: RILL_EVALUE, bytes dropped as R-181,
 * R-182 say. */
int rill_reader_readline(struct rill_reader *reader, struct rill_bytes *line);

/* reader.readexactly(n). Suspends. Cancelled: nothing is lost. RILL_EINCOMPLETE with the partial
 * bytes, RILL_EVALUE for n < 0. */
int rill_reader_readexactly(struct rill_reader *reader, ssize_t n, struct rill_bytes *data);

/* reader.readuntil(separator): up to and including the separator. Suspends. Cancelled: nothing is
 * lost. RILL_ELIMIT (buffer intact; ), RILL_EINCOMPLETE, RILL_EVALUE for an
 * empty separator. */
int rill_reader_readuntil(struct rill_reader *reader, struct rill_bytes separator,
                          struct rill_bytes *data);

/* readuntil with a tuple of separators; they must stay valid while the call lasts.
 */
int rill_reader_readuntil_any(struct rill_reader *reader, const struct rill_bytes *separators,
                              size_t count, struct rill_bytes *data);

/* `async for line in reader`: 1 with a line, 0 at the end, negative on an error.
 * Suspends. */
int rill_reader_next_line(struct rill_reader *reader, struct rill_bytes *line);

/* read(n) copied into the caller's memory: the number of bytes, 0 at EOF. Suspends; cancelled:
 * nothing is lost. size 0 answers 0 at once. */
ssize_t rill_reader_read_into(struct rill_reader *reader, void *memory, size_t size);

/* What asyncio has no call for: drops everything up to and including the next newline, however long
 * the line is; after a readline that overran. 0, also at EOF. Suspends; cancelled: what was
 * dropped so far is gone. */
int rill_reader_skip_line(struct rill_reader *reader);

/* The bytes that are buffered, also when a stored connection error hides them from every read
 * . Valid until the next call on this reader or the next suspension. */
struct rill_bytes rill_reader_leftover(const struct rill_reader *reader);

/* A bound for read to EOF: more than `bytes` fails with RILL_ELIMIT, what was collected
 * stays readable. Not given: none. */
void rill_reader_set_read_all_max(struct rill_reader *reader, struct rill_opt_int bytes);

bool rill_reader_at_eof(const struct rill_reader *reader); /* */
/* reader.exception(): the connection's stored error, or NULL; valid while the pair is. R-111. */
const struct rill_error *rill_reader_exception(const struct rill_reader *reader);
/* The error object of the last call on this reader that failed; NULL when none has. */
const struct rill_error *rill_reader_error(const struct rill_reader *reader);

/* A reader made by hand, on the running loop. The caller owns *reader
 * until rill_reader_free. Errors: RILL_EVALUE `Limit cannot be <= 0`, RILL_ERUNTIME, RILL_ENOMEM.
 * feed_data: RILL_EASSERTION `feed_data after feed_eof`. set_exception takes a reference of its
 * own; NULL clears. */
int rill_reader_new(struct rill_opt_int limit, struct rill_reader **reader);
void rill_reader_free(
    struct rill_reader *reader); /* only one made by rill_reader_new; NULL is fine */
int rill_reader_feed_data(struct rill_reader *reader, const void *data, size_t size);
void rill_reader_feed_eof(struct rill_reader *reader);
void rill_reader_set_exception(struct rill_reader *reader, const struct rill_error *exception);
/* RILL_EASSERTION `Transport already set`. */
int rill_reader_set_transport(struct rill_reader *reader, struct rill_transport *transport);

/* -- StreamWriter ---------------------------------------------------------------------------- */

/* writer.write(data): sends at once what the kernel takes, copies the rest. Does not
 * suspend, does not report network errors: drain and the reader do. RILL_ERUNTIME `Cannot
 * call write() after write_eof()`, RILL_ENOMEM (nothing was queued). */
int rill_writer_write(struct rill_writer *writer, const void *data, size_t size);
/* writer.writelines(parts): as one write; empty parts are dropped, water marks hold.
 */
int rill_writer_writelines(struct rill_writer *writer, const struct rill_bytes *parts,
                           size_t count);

/* write without the copy: what the kernel does not take at once is referenced until
 * done(arg) is called, in the loop's thread, exactly once, also when the connection is lost; when
 * everything went at once, before this returns. On an error done is not called. It may be NULL, for
 * memory that lives as long as the program. */
int rill_writer_write_borrowed(struct rill_writer *writer, const void *data, size_t size,
                               rill_callback *done, void *arg);

/* writer.drain(): suspends while the write buffer is above its high-water mark, until it falls to
 * the low one. Any number of tasks may wait. Cancelled: nothing is lost. RILL_ECONNRESET
 * `Connection lost`, the connection's error. It means "below the mark", not
 * "sent". */
int rill_writer_drain(struct rill_writer *writer);

/* writer.write_eof(): half-close after the flush. RILL_ENOTIMPLEMENTED over TLS; an OSError
 * of shutdown. */
int rill_writer_write_eof(struct rill_writer *writer);
bool rill_writer_can_write_eof(const struct rill_writer *writer);

/* writer.close(): buffered data is still flushed. Idempotent. */
void rill_writer_close(struct rill_writer *writer);
bool rill_writer_is_closing(const struct rill_writer *writer); /* */

/* A deadline for close: a connection that is not lost so many seconds after
 * rill_writer_close is aborted. Not given: none, as in asyncio. Call it before close. */
void rill_writer_set_close_timeout(struct rill_writer *writer, struct rill_opt_real seconds);

/* writer.wait_closed(): suspends until the connection is lost; its error, if it ended by one
 * . Cancelling one waiter leaves the others alone. */
int rill_writer_wait_closed(struct rill_writer *writer);

/* writer.start_tls(): the stream goes on over TLS, as the server of the handshake when start_server
 * made it. Suspends: drain first, then the handshake. Bytes that came in clear and were not
 * read are refused, RILL_ERUNTIME with their number, unless the stream is a server's and
 * they begin a TLS handshake, which then gets them. While it lasts, write and a second start_tls
 * are refused. A failed or cancelled handshake closes the connection. Errors: drain's,
 * 8.2. */
int rill_writer_start_tls(struct rill_writer *writer, struct rill_ssl_context *ssl,
                          const struct rill_start_tls_options *options);

/* writer.transport. The writer's reference: take one (rill_transport_ref) to keep it. */
struct rill_transport *rill_writer_transport(const struct rill_writer *writer);

/* writer.get_extra_info(name) and the typed forms; true when there is an answer.
 */
bool rill_writer_get_extra_info(const struct rill_writer *writer, const char *name,
                                struct rill_extra_info *info);
bool rill_writer_get_peername(const struct rill_writer *writer, struct rill_address *address);
bool rill_writer_get_sockname(const struct rill_writer *writer, struct rill_address *address);
bool rill_writer_get_socket(const struct rill_writer *writer, int *fd);
/* Of a TLS stream, also after it closed; false on a plain one, and for peercert
 * and compression also when there is none. What they point to is the connection's. */
bool rill_writer_get_ssl_context(const struct rill_writer *writer, struct rill_ssl_context **ssl);
bool rill_writer_get_ssl_object(const struct rill_writer *writer, struct rill_ssl_object **object);
bool rill_writer_get_peercert(const struct rill_writer *writer, const struct rill_peercert **cert);
bool rill_writer_get_cipher(const struct rill_writer *writer, struct rill_ssl_cipher *cipher);
bool rill_writer_get_compression(const struct rill_writer *writer, const char **name);
/* How the peer ended its side: a truncated stream reads like a complete one. */
enum rill_tls_end rill_writer_tls_end(const struct rill_writer *writer);

const struct rill_error *rill_writer_error(const struct rill_writer *writer);

/* Lets go of writer and reader, not of the connection: queued bytes still flush. If it was not
 * closing it is closed, with a WARNING in debug mode. No call on either may be in progress.
 * NULL is fine. */
void rill_writer_free(struct rill_writer *writer);

#ifdef __cplusplus
}
#endif

#endif
