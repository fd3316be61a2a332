/* SPDX-License-Identifier: MIT
 *
 * Splitting a URL as Python does: authority up to the first of / ? #, user information before the
 * last @, the port after the first colon (or after the bracket of an IPv6 address).
 */
#include "url.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static struct rill_bytes view(const char *start, const char *end)
{
    const struct rill_bytes bytes = {start, (size_t)(end - start)};
    return bytes;
}

static const char *find(struct rill_bytes text, char wanted)
{
    return text.len > 0 ? memchr(text.ptr, wanted, text.len) : NULL;
}

static bool is_visible_ascii(const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text <= ' ' || *text > '~') {
            return false;
        }
    }
    return true;
}

/* The text after "http://" or "https://", or NULL. */
static const char *split_scheme(const char *text, bool *https)
{
    *https = strncasecmp(text, "https://", strlen("https://")) == 0;
    if (*https) {
        return text + strlen("https://");
    }
    return strncasecmp(text, "http://", strlen("http://")) == 0 ? text + strlen("http://") : NULL;
}

static bool set_hostname(struct url *url, struct rill_bytes name)
{
    const char *const zone = find(name, '%');
    const size_t lowered = zone != NULL ? (size_t)(zone - name.ptr) : name.len;

    if (name.len == 0 || name.len >= sizeof url->hostname) {
        return false;
    }
    for (size_t i = 0; i < name.len; i++) {
        const int letter = (unsigned char)name.ptr[i];
        url->hostname[i] = (char)(i < lowered ? tolower(letter) : letter);
    }
    url->hostname[name.len] = '\0';
    return true;
}

/* text ends at a colon's right side; nothing between is as no port at all (`http://host:/`). */
static bool set_port(struct url *url, struct rill_bytes text)
{
    unsigned port = 0;

    url->port[0] = '\0';
    for (size_t i = 0; i < text.len; i++) {
        if (!isdigit((unsigned char)text.ptr[i])) {
            return false;
        }
        port = port * 10 + (unsigned)(text.ptr[i] - '0');
        if (port > 65535) {
            return false;
        }
    }
    if (text.len > 0) {
        snprintf(url->port, sizeof url->port, "%u", port);
    }
    return true;
}

/* [address] or [address]:port */
static bool split_bracketed(struct rill_bytes host, struct url *url)
{
    const char *const end = host.ptr + host.len;
    const char *const bracket = find(host, ']');

    if (bracket == NULL) {
        return false;
    }
    const struct rill_bytes address = view(host.ptr + 1, bracket);
    const struct rill_bytes rest = view(bracket + 1, end);
    if (find(address, ':') == NULL || find(rest, ']') != NULL || find(rest, '[') != NULL ||
        (rest.len > 0 && rest.ptr[0] != ':')) {
        return false;
    }
    return set_hostname(url, address) &&
           set_port(url, rest.len > 0 ? view(rest.ptr + 1, end) : rest);
}

static bool split_host(struct rill_bytes host, struct url *url)
{
    const char *const end = host.ptr + host.len;
    const char *const colon = find(host, ':');

    if (host.len > 0 && host.ptr[0] == '[') {
        return split_bracketed(host, url);
    }
    if (find(host, '[') != NULL || find(host, ']') != NULL) {
        return false;
    }
    return set_hostname(url, view(host.ptr, colon != NULL ? colon : end)) &&
           set_port(url, view(colon != NULL ? colon + 1 : end, end));
}

bool url_split(const char *text, struct url *url)
{
    const char *const authority = split_scheme(text, &url->https);

    if (authority == NULL || !is_visible_ascii(text)) {
        return false;
    }
    const char *const path = authority + strcspn(authority, "/?#");
    url->path = view(path, path + strcspn(path, "?#"));

    const char *host = authority;
    for (const char *at = authority; at < path; at++) {
        host = *at == '@' ? at + 1 : host;
    }
    return split_host(view(host, path), url);
}
