// SPDX-License-Identifier: MIT
//
// tools/bench's server on Boost.Asio with C++20 coroutines: async_read_until on a streambuf,
// async_write, ssl::stream when it is given a certificate.
#include <cstdio>
#include <cstring>
#include <iostream>
#include <string>
#include <unistd.h>
#include <utility>

#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>

namespace asio = boost::asio;
using asio::awaitable;
using asio::use_awaitable;
using asio::ip::tcp;
using Tls = asio::ssl::stream<tcp::socket>;

constexpr std::size_t limit = 64 * 1024;

template <class Stream> awaitable<void> echo(Stream &stream)
{
    asio::streambuf buffer(limit + 1);
    for (;;) {
        boost::system::error_code error;
        std::size_t size = co_await asio::async_read_until(
            stream, buffer, '\n', asio::redirect_error(use_awaitable, error));
        if (error == asio::error::not_found) {
            co_return;
        }
        if (error) {
            size = buffer.size();
        }
        if (size > 0) {
            co_await asio::async_write(stream, asio::buffer(buffer.data(), size), use_awaitable);
            buffer.consume(size);
        }
        if (error) {
            co_return;
        }
    }
}

template <class Stream> awaitable<void> answer(Stream &stream, std::size_t count, std::size_t bytes)
{
    const std::string text = std::to_string(count) + " " + std::to_string(bytes) + "\n";
    co_await asio::async_write(stream, asio::buffer(text), use_awaitable);
}

template <class Stream> awaitable<void> lines(Stream &stream)
{
    asio::streambuf buffer(limit + 1);
    std::size_t count = 0, bytes = 0;
    for (;;) {
        boost::system::error_code error;
        std::size_t size = co_await asio::async_read_until(
            stream, buffer, '\n', asio::redirect_error(use_awaitable, error));
        if (error == asio::error::not_found) {
            co_return;
        }
        if (error) {
            size = buffer.size();
        }
        count += size > 0;
        bytes += size;
        buffer.consume(size);
        if (error) {
            break;
        }
    }
    co_await answer(stream, count, bytes);
}

template <class Stream> awaitable<void> messages(Stream &stream)
{
    asio::streambuf buffer(limit + 4);
    std::size_t count = 0, bytes = 0;
    for (;;) {
        boost::system::error_code error;
        const std::size_t size = co_await asio::async_read_until(
            stream, buffer, "\r\n\r\n", asio::redirect_error(use_awaitable, error));
        if (error) {
            break;
        }
        count++;
        bytes += size;
        buffer.consume(size);
    }
    co_await answer(stream, count, bytes);
}

template <class Stream> awaitable<void> bulk(Stream &stream)
{
    std::string block(64 * 1024, '\0');
    for (;;) {
        boost::system::error_code error;
        const std::size_t size = co_await stream.async_read_some(
            asio::buffer(block), asio::redirect_error(use_awaitable, error));
        if (error) {
            co_return;
        }
        co_await asio::async_write(stream, asio::buffer(block, size), use_awaitable);
    }
}

template <class Stream> awaitable<void> run(Stream &stream, const std::string &work)
{
    return work == "echo"       ? echo(stream)
           : work == "lines"    ? lines(stream)
           : work == "messages" ? messages(stream)
                                : bulk(stream);
}

awaitable<void> serve_plain(tcp::socket socket, const std::string &work)
{
    co_await run(socket, work);
}

awaitable<void> serve_tls(tcp::socket socket, const std::string &work, asio::ssl::context &context)
{
    Tls stream(std::move(socket), context);
    co_await stream.async_handshake(asio::ssl::stream_base::server, use_awaitable);
    co_await run(stream, work);
    co_await stream.async_shutdown(use_awaitable);
}

// A connection that fails ends; nobody is told, as in the other servers.
void ended(std::exception_ptr)
{
}

awaitable<void> listen(tcp::acceptor &acceptor, const std::string &work,
                       asio::ssl::context *context)
{
    for (;;) {
        tcp::socket socket = co_await acceptor.async_accept(use_awaitable);
        socket.set_option(tcp::no_delay(true));
        const auto executor = socket.get_executor();
        if (context == nullptr) {
            asio::co_spawn(executor, serve_plain(std::move(socket), work), ended);
        } else {
            asio::co_spawn(executor, serve_tls(std::move(socket), work, *context), ended);
        }
    }
}

int main(int argc, char **argv)
{
    const std::string work = argc == 2 || argc == 4 ? argv[1] : "";
    if (work != "echo" && work != "lines" && work != "messages" && work != "bulk") {
        std::cerr << "usage: " << argv[0] << " echo|lines|messages|bulk [CERTIFICATE KEY]\n";
        return 2;
    }
    asio::io_context loop(1);
    asio::ssl::context context(asio::ssl::context::tls_server);
    if (argc == 4) {
        context.use_certificate_chain_file(argv[2]);
        context.use_private_key_file(argv[3], asio::ssl::context::pem);
        SSL_CTX_set_mode(context.native_handle(), SSL_MODE_RELEASE_BUFFERS);
        SSL_CTX_set_session_cache_mode(context.native_handle(), SSL_SESS_CACHE_OFF);
    }
    tcp::acceptor acceptor(loop, {asio::ip::address_v4::loopback(), 0});
    acceptor.listen(1024);
    std::printf("listening port=%d pid=%ld\n", acceptor.local_endpoint().port(),
                static_cast<long>(getpid()));
    std::fflush(stdout);
    asio::co_spawn(loop, listen(acceptor, work, argc == 4 ? &context : nullptr), asio::detached);
    loop.run();
}
