/* SPDX-License-Identifier: MIT
 *
 * The engine: OpenSSL between two buffers. What came is read from the caller's memory, what goes
 * out is collected until the caller takes it.
 */
#include "tls/engine.h"

#include <pthread.h>
#include <stddef.h>
#include <string.h>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include "sansio/memory.h"
#include "tls/error.h"
#include "tls/peercert.h"
#include "tls/session.h"

/* -- the BIO: one object for both directions ------------------------------------------------- */

/* Takes up to `size` bytes of what came: the kept ones first. */
static size_t take_incoming(struct rill_ssl_object *self, char *space, size_t size)
{
    const size_t kept = rill__buffer_length(&self->incoming);
    size_t count = kept > 0 ? kept : self->fed.len;

    count = count < size ? count : size;
    if (count == 0) {
        return 0;
    }
    if (kept > 0) {
        memcpy(space, rill__buffer_data(&self->incoming), count);
        rill__buffer_discard(&self->incoming, count);
    } else {
        memcpy(space, self->fed.ptr, count);
        self->fed.ptr += count;
        self->fed.len -= count;
    }
    return count;
}

static int bio_read(BIO *bio, char *space, size_t size, size_t *count)
{
    BIO_clear_retry_flags(bio);
    *count = take_incoming(BIO_get_data(bio), space, size);
    if (*count == 0) {
        BIO_set_retry_read(bio);
    }
    return *count > 0;
}

static int bio_write(BIO *bio, const char *data, size_t size, size_t *count)
{
    struct rill_ssl_object *self = BIO_get_data(bio);

    BIO_clear_retry_flags(bio);
    if (size <= self->room_size - self->room_used) {
        memcpy(self->room + self->room_used, data, size);
        self->room_used += size;
        *count = size;
        return 1;
    }
    self->room_size = self->room_used; /* nothing gets in front of this */
    if (rill__buffer_append(&self->outgoing, data, size) < 0) {
        self->no_memory = true;
        return 0;
    }
    *count = size;
    return 1;
}

static long bio_ctrl(BIO *bio, int command, long number, void *pointer)
{
    (void)bio;
    (void)number;
    (void)pointer;
    return command == BIO_CTRL_FLUSH;
}

/* Made once, they live as long as the process. */
static BIO_METHOD *bio_method;
static int object_index = -1; /* of OpenSSL's extra data: the application's own is not ours */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void set_up_process(void)
{
    object_index = SSL_get_ex_new_index(0, NULL, NULL, NULL, NULL);
    BIO_METHOD *made = BIO_meth_new(BIO_TYPE_SOURCE_SINK, "rill");
    if (made != NULL) { /* what follows only assigns */
        BIO_meth_set_read_ex(made, bio_read);
        BIO_meth_set_write_ex(made, bio_write);
        BIO_meth_set_ctrl(made, bio_ctrl);
    }
    bio_method = made;
}

struct rill_ssl_object *rill__tls_object_of(const SSL *ssl)
{
    return SSL_get_ex_data(ssl, object_index);
}

static bool set_bio(struct rill_ssl_object *self)
{
    pthread_once(&once, set_up_process);
    BIO *bio = bio_method != NULL ? BIO_new(bio_method) : NULL;
    if (bio == NULL) {
        return false;
    }
    BIO_set_data(bio, self);
    BIO_set_init(bio, 1);
    SSL_set_bio(self->ssl, bio, bio);
    return true;
}

/* -- the peer's name ------------------------------------------------------------------------- */

#define LABEL_MAX 63 /* bytes between two dots */

static bool is_ascii(const char *text)
{
    while (*text != '\0' && (unsigned char)*text < 0x80) {
        text++;
    }
    return *text == '\0';
}

/* The first label that is empty, but for the last (or, with `length`, longer than LABEL_MAX) as an
 * offset; -1: none. */
static ptrdiff_t bad_label(const char *name, size_t *length)
{
    for (const char *label = name;; label++) {
        const size_t size = strcspn(label, ".");
        if (length != NULL && size > LABEL_MAX) {
            *length = size;
            return label - name;
        }
        if (length == NULL && size == 0 && label[0] == '.') {
            return label - name;
        }
        label += size;
        if (*label == '\0') {
            return -1;
        }
    }
}

/* What Python's codec for names refuses, with 3.13's texts. A leading dot would make OpenSSL take
 * any name below it. */
static const struct rill_error *check_name(const char *name)
{
    const ptrdiff_t empty = bad_label(name, NULL);
    size_t length;

    if (!is_ascii(name)) {
        return rill_error_new(RILL_EVALUE, "server_hostname must be ASCII: give an "
                                           "internationalized name in its xn-- form");
    }
    if (empty >= 0) {
        return rill_error_new(RILL_EVALUE,
                              "'idna' codec can't encode character '\\x2e' in position %td: "
                              "label empty",
                              empty);
    }
    const ptrdiff_t long_one = bad_label(name, &length);
    return long_one < 0 ? NULL
                        : rill_error_new(RILL_EVALUE,
                                         "'idna' codec can't encode characters in position "
                                         "%td-%td: label too long",
                                         long_one, long_one + (ptrdiff_t)length - 1);
}

/* What is asked of the certificate; false with an error in OpenSSL's queue: nothing is left
 * unchecked. */
static bool expect_name(struct rill_ssl_object *self, const char *name, bool checks)
{
    X509_VERIFY_PARAM *param = SSL_get0_param(self->ssl);
    ASN1_OCTET_STRING *address = a2i_IPADDRESS(name);
    bool set = true;

    ERR_clear_error(); /* a name is no address */
    if (address == NULL) {
        set = SSL_set_tlsext_host_name(self->ssl, name) == 1 &&
              (!checks || X509_VERIFY_PARAM_set1_host(param, name, strlen(name)) == 1);
    } else if (checks) { /* never sent */
        set = X509_VERIFY_PARAM_set1_ip(param, ASN1_STRING_get0_data(address),
                                        (size_t)ASN1_STRING_length(address)) == 1;
    }
    ASN1_OCTET_STRING_free(address);
    return set;
}

static const struct rill_error *set_name(struct rill_ssl_object *self, const char *name, bool skip)
{
    if (name == NULL || name[0] == '\0') {
        return rill_ssl_context_checks_hostname(self->context) && !skip /* */
                   ? rill_error_new(RILL_EVALUE, "check_hostname requires server_hostname")
                   : NULL;
    }
    const struct rill_error *error = check_name(name);
    if (error != NULL) {
        return error;
    }
    self->server_hostname = rill__strdup(name);
    if (self->server_hostname == NULL) {
        return rill_error_no_memory();
    }
    return expect_name(self, name, rill_ssl_context_checks_hostname(self->context) && !skip)
               ? NULL
               : rill__tls_error_of_queue();
}

/* -- life ------------------------------------------------------------------------------------ */

static const struct rill_error *check_side(const struct rill_ssl_context *context, bool server_side)
{
    if (context->server_side == server_side) {
        return NULL;
    }
    return rill_error_new(RILL_ESSL, "Cannot create a %s socket with a PROTOCOL_TLS_%s context",
                          server_side ? "server" : "client", server_side ? "CLIENT" : "SERVER");
}

static const struct rill_error *set_up(struct rill_ssl_object *self, const char *server_hostname,
                                       bool skip_hostname)
{
    self->ssl = rill__ssl_context_session(self->context);
    if (self->ssl == NULL || !set_bio(self) ||
        SSL_set_ex_data(self->ssl, object_index, self) != 1) {
        return rill__tls_error_of_queue();
    }
    SSL_set_mode(self->ssl, SSL_MODE_AUTO_RETRY | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                SSL_MODE_RELEASE_BUFFERS);
    if (self->server_side) {
        SSL_set_accept_state(self->ssl);
        return NULL;
    }
    SSL_set_connect_state(self->ssl);
    return set_name(self, server_hostname, skip_hostname);
}

struct rill_ssl_object *rill__tls_new(struct rill_ssl_context *context, bool server_side,
                                      const char *server_hostname, bool skip_hostname,
                                      const struct rill_error **error)
{
    struct rill_ssl_object *self = rill__alloc_zeroed(sizeof *self);

    *error = self == NULL ? rill_error_no_memory() : NULL;
    if (self == NULL) {
        return NULL;
    }
    rill__buffer_init(&self->incoming);
    rill__buffer_init(&self->outgoing);
    self->context = rill_ssl_context_ref(context);
    self->server_side = server_side;
    ERR_clear_error();
    *error = check_side(context, server_side);
    if (*error == NULL) {
        *error = set_up(self, server_hostname, skip_hostname);
    }
    ERR_clear_error();
    if (*error != NULL) {
        rill__tls_free(self);
        return NULL;
    }
    return self;
}

void rill__tls_free(struct rill_ssl_object *self)
{
    if (self == NULL) {
        return;
    }
    SSL_free(self->ssl);
    ERR_clear_error();
    rill__buffer_cleanup(&self->incoming);
    rill__buffer_cleanup(&self->outgoing);
    rill__peercert_free(self->peercert);
    rill__free(self->server_hostname);
    rill__free(self->alpn);
    rill_ssl_context_unref(self->context);
    rill__free(self);
}

/* -- ciphertext ------------------------------------------------------------------------------ */

void rill__tls_feed(struct rill_ssl_object *self, struct rill_bytes data)
{
    rill_assert(self->fed.len == 0);
    self->fed = data;
}

int rill__tls_settle(struct rill_ssl_object *self)
{
    const struct rill_bytes rest = self->fed;

    self->fed = (struct rill_bytes){NULL, 0};
    if (self->incoming.block != NULL) {
        rill__buffer_shrink(&self->incoming, 0);
    }
    return rest.len == 0 ? 0 : rill__buffer_append(&self->incoming, rest.ptr, rest.len);
}

size_t rill__tls_incoming(const struct rill_ssl_object *self)
{
    return rill__buffer_length(&self->incoming) + self->fed.len;
}

size_t rill__tls_outgoing(const struct rill_ssl_object *self)
{
    return rill__buffer_length(&self->outgoing);
}

void rill__tls_lend_room(struct rill_ssl_object *self, char *room, size_t size)
{
    rill_assert(self->room_size == 0 && rill__buffer_length(&self->outgoing) == 0);
    self->room = room;
    self->room_size = size;
}

size_t rill__tls_return_room(struct rill_ssl_object *self)
{
    const size_t used = self->room_used;

    self->room = NULL;
    self->room_size = 0;
    self->room_used = 0;
    return used;
}

void rill__tls_take_outgoing(struct rill_ssl_object *self, struct rill__buffer *outgoing)
{
    *outgoing = self->outgoing;
    rill__buffer_init(&self->outgoing);
}

/* -- the session ----------------------------------------------------------------------------- */

/* Emptying costs as much as a tenth of a record, and mostly there is nothing. */
static void empty_queue(void)
{
    if (ERR_peek_error() != 0) {
        ERR_clear_error();
    }
}

/* What a call of OpenSSL means; one that succeeds may still have put something into the queue. */
static enum rill__tls_result judge(struct rill_ssl_object *self, int result,
                                   const struct rill_error **error)
{
    if (result == 1) {
        empty_queue();
        return RILL__TLS_OK;
    }
    int judged = SSL_get_error(self->ssl, result);

    if (judged == SSL_ERROR_SYSCALL && ERR_GET_LIB(ERR_peek_last_error()) == ERR_LIB_SSL) {
        judged = SSL_ERROR_SSL; /* it asks the first entry, which may be somebody else's */
    }
    if (self->no_memory) {
        *error = rill_error_no_memory();
    } else if (judged == SSL_ERROR_WANT_READ) { /* a write never waits: see bio_write */
        return RILL__TLS_WANT;
    } else if (judged == SSL_ERROR_ZERO_RETURN) {
        return RILL__TLS_CLOSED;
    } else {
        *error = rill__tls_error_of_session(self->ssl, judged, self->server_hostname);
    }
    ERR_clear_error();
    return RILL__TLS_FAILED;
}

static bool note_alpn(struct rill_ssl_object *self)
{
    const unsigned char *name;
    unsigned length;

    SSL_get0_alpn_selected(self->ssl, &name, &length);
    if (length == 0) {
        return true;
    }
    self->alpn = rill__alloc(length + 1);
    if (self->alpn != NULL) {
        memcpy(self->alpn, name, length);
        self->alpn[length] = '\0';
    }
    return self->alpn != NULL;
}

enum rill__tls_result rill__tls_handshake(struct rill_ssl_object *self,
                                          const struct rill_error **error)
{
    *error = NULL;
    ERR_clear_error();
    int result = SSL_do_handshake(self->ssl);
    if (result == 1 && !note_alpn(self)) {
        self->no_memory = true;
        result = 0;
    }
    return judge(self, result, error);
}

/* The queue was not emptied before the call, which costs as much as a tenth of a record: what
 * another user of OpenSSL left there is no failure of ours. Now it is empty. */
static enum rill__tls_result reconsider(const struct rill_ssl_object *self, bool reads,
                                        enum rill__tls_result judged,
                                        const struct rill_error **error)
{
    const int really = SSL_get_error(self->ssl, 0);
    const bool broken = self->no_memory || strcmp(SSL_state_string(self->ssl), "SSLERR") == 0;
    const bool closed = reads && really == SSL_ERROR_ZERO_RETURN;

    if (broken || (really != SSL_ERROR_WANT_READ && !closed)) {
        return judged;
    }
    rill_error_unref(*error);
    *error = NULL;
    return closed ? RILL__TLS_CLOSED : RILL__TLS_WANT;
}

/* What was fed is one record, whole, and OpenSSL waits for a header ("RH"). */
static bool is_one_record(const struct rill_ssl_object *self)
{
    const unsigned char *const head = (const unsigned char *)self->fed.ptr;

    return rill__buffer_length(&self->incoming) == 0 && self->fed.len > SSL3_RT_HEADER_LENGTH &&
           self->fed.len == SSL3_RT_HEADER_LENGTH + 256 * (size_t)head[3] + head[4] &&
           SSL_rstate_string(self->ssl)[1] == 'H';
}

enum rill__tls_result rill__tls_read(struct rill_ssl_object *self, char *space, size_t size,
                                     size_t *count, const struct rill_error **error)
{
    *error = NULL;
    *count = 0;
    const bool one = is_one_record(self);
    if (one != self->reads_ahead) { /* its header and its rest at once: nothing is behind it */
        self->reads_ahead = one;
        SSL_set_read_ahead(self->ssl, one);
    }
    const int result = SSL_read_ex(self->ssl, space, size, count);
    if (one && result == 1) { /* data and no message: nothing has failed on the way */
        return RILL__TLS_OK;
    }
    const enum rill__tls_result judged = judge(self, result, error);
    return judged == RILL__TLS_FAILED ? reconsider(self, true, judged, error) : judged;
}

/* Room for many records at once, not by doubling; without it each record asks for its own. */
static void reserve(struct rill_ssl_object *self, size_t size)
{
    char *space;
    size_t free_bytes;

    (void)rill__buffer_space(&self->outgoing, size + (size / SSL3_RT_MAX_PLAIN_LENGTH + 1) * 64,
                             &space, &free_bytes);
}

enum rill__tls_result rill__tls_write(struct rill_ssl_object *self, struct rill_bytes data,
                                      size_t *count, const struct rill_error **error)
{
    *error = NULL;
    *count = 0;
    if (data.len > SSL3_RT_MAX_PLAIN_LENGTH && self->room_size == 0) {
        reserve(self, data.len);
    }
    const enum rill__tls_result judged =
        judge(self, SSL_write_ex(self->ssl, data.ptr, data.len, count), error);
    if (judged == RILL__TLS_FAILED) {
        return reconsider(self, false, judged, error);
    }
    if (judged == RILL__TLS_CLOSED) {
        *error = rill__tls_error_of_session(self->ssl, SSL_ERROR_ZERO_RETURN, NULL);
        return RILL__TLS_FAILED;
    }
    return judged;
}

enum rill__tls_result rill__tls_shutdown(struct rill_ssl_object *self,
                                         const struct rill_error **error)
{
    char discarded[4096];
    enum rill__tls_result result = RILL__TLS_OK;
    size_t count;

    *error = NULL;
    ERR_clear_error();
    if ((SSL_get_shutdown(self->ssl) & SSL_SENT_SHUTDOWN) == 0) {
        const int sent = SSL_shutdown(self->ssl);
        if (sent != 0) { /* 1: the peer's came before */
            return judge(self, sent, error);
        }
    }
    while (result == RILL__TLS_OK && (SSL_get_shutdown(self->ssl) & SSL_RECEIVED_SHUTDOWN) == 0) {
        result = rill__tls_read(self, discarded, sizeof discarded, &count, error); /* */
    }
    return result == RILL__TLS_CLOSED ? RILL__TLS_OK : result;
}

bool rill__tls_may_have_more(const struct rill_ssl_object *self)
{
    return self->fed.len > 0 || rill__buffer_length(&self->incoming) > 0 ||
           SSL_has_pending(self->ssl) == 1;
}

bool rill__tls_is_strict(const struct rill_ssl_object *self)
{
    return self->context->strict_end;
}
