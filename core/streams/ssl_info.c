/* SPDX-License-Identifier: MIT
 *
 * What a writer can be asked about its TLS.
 */
#include "streams/ssl_protocol.h"
#include "streams/stream.h"

bool rill_writer_get_ssl_context(const struct rill_writer *writer, struct rill_ssl_context **ssl)
{
    struct rill_extra_info info;
    const bool found = rill_writer_get_extra_info(writer, "sslcontext", &info);
    *ssl = info.ssl_context;
    return found;
}

bool rill_writer_get_ssl_object(const struct rill_writer *writer, struct rill_ssl_object **object)
{
    struct rill_extra_info info;
    const bool found = rill_writer_get_extra_info(writer, "ssl_object", &info);
    *object = info.ssl_object;
    return found;
}

bool rill_writer_get_peercert(const struct rill_writer *writer, const struct rill_peercert **cert)
{
    struct rill_ssl_object *object;
    const bool found = rill_writer_get_ssl_object(writer, &object);
    *cert = found ? rill_ssl_object_getpeercert(object, NULL) : NULL;
    return *cert != NULL;
}

bool rill_writer_get_cipher(const struct rill_writer *writer, struct rill_ssl_cipher *cipher)
{
    struct rill_ssl_object *object;
    *cipher = (struct rill_ssl_cipher){0};
    return rill_writer_get_ssl_object(writer, &object) && rill_ssl_object_cipher(object, cipher);
}

bool rill_writer_get_compression(const struct rill_writer *writer, const char **name)
{
    struct rill_ssl_object *object;
    *name =
        rill_writer_get_ssl_object(writer, &object) ? rill_ssl_object_compression(object) : NULL;
    return *name != NULL;
}

enum rill_tls_end rill_writer_tls_end(const struct rill_writer *writer)
{
    const struct rill__ssl *layer = rill__ssl_of(writer->stream->transport);
    return layer != NULL ? layer->end : RILL_TLS_NONE;
}
