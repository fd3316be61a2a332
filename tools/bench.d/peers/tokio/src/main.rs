// SPDX-License-Identifier: MIT
//
// tools/bench's server on tokio: a task for each connection on one thread, BufReader to read lines,
// rustls when it is given a certificate.
use std::io::{Error, ErrorKind, Result};
use std::sync::Arc;

use tokio::io::{AsyncBufReadExt, AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::rustls::{Certificate, PrivateKey, ServerConfig};
use tokio_rustls::TlsAcceptor;

const LIMIT: usize = 64 * 1024;

trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send> Stream for T {}

/// A line with its end in `line`; at the end of input what is left, perhaps nothing.
async fn read_line<S: Stream>(reader: &mut BufReader<S>, line: &mut Vec<u8>) -> Result<()> {
    line.clear();
    let mut limited = reader.take(LIMIT as u64 + 2);
    limited.read_until(b'\n', line).await?;
    if line.len() > LIMIT + 1 || (line.len() == LIMIT + 1 && !line.ends_with(b"\n")) {
        return Err(Error::from(ErrorKind::InvalidData));
    }
    Ok(())
}

async fn echo<S: Stream>(stream: S) -> Result<()> {
    let mut reader = BufReader::new(stream);
    let mut line = Vec::new();
    loop {
        read_line(&mut reader, &mut line).await?;
        if line.is_empty() {
            return reader.shutdown().await;
        }
        reader.write_all(&line).await?;
        reader.flush().await?;
    }
}

async fn answer<S: Stream>(mut reader: BufReader<S>, count: u64, size: u64) -> Result<()> {
    reader.write_all(format!("{} {}\n", count, size).as_bytes()).await?;
    reader.shutdown().await
}

async fn lines<S: Stream>(stream: S) -> Result<()> {
    let mut reader = BufReader::with_capacity(LIMIT, stream);
    let mut line = Vec::new();
    let (mut count, mut size) = (0, 0);
    loop {
        read_line(&mut reader, &mut line).await?;
        if line.is_empty() {
            return answer(reader, count, size).await;
        }
        count += 1;
        size += line.len() as u64;
    }
}

/// A message ends with an empty line.
async fn messages<S: Stream>(stream: S) -> Result<()> {
    let mut reader = BufReader::with_capacity(LIMIT, stream);
    let mut message: Vec<u8> = Vec::new();
    let (mut count, mut size) = (0, 0);
    loop {
        if reader.read_until(b'\n', &mut message).await? == 0 || message.len() > LIMIT + 4 {
            return answer(reader, count, size).await;
        }
        if message.ends_with(b"\r\n\r\n") {
            count += 1;
            size += message.len() as u64;
            message.clear();
        }
    }
}

async fn bulk<S: Stream>(mut stream: S) -> Result<()> {
    let mut block = vec![0; 64 * 1024];
    loop {
        let count = stream.read(&mut block).await?;
        if count == 0 {
            return stream.shutdown().await;
        }
        stream.write_all(&block[..count]).await?;
        stream.flush().await?;
    }
}

async fn serve<S: Stream>(stream: S, work: &str) -> Result<()> {
    match work {
        "echo" => echo(stream).await,
        "lines" => lines(stream).await,
        "messages" => messages(stream).await,
        _ => bulk(stream).await,
    }
}

async fn serve_tls(stream: TcpStream, acceptor: TlsAcceptor, work: &str) -> Result<()> {
    let stream = acceptor.accept(stream).await?;
    serve(stream, work).await
}

fn load(certificate: &str, key: &str) -> Result<TlsAcceptor> {
    let read = |path: &str| std::fs::read(path);
    let chain = rustls_pemfile::certs(&mut &read(certificate)?[..])?.into_iter().map(Certificate).collect();
    let key = rustls_pemfile::pkcs8_private_keys(&mut &read(key)?[..])?.remove(0);
    let config = ServerConfig::builder()
        .with_safe_defaults()
        .with_no_client_auth()
        .with_single_cert(chain, PrivateKey(key))
        .map_err(|error| Error::new(ErrorKind::InvalidInput, error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

async fn listen(work: &'static str, acceptor: Option<TlsAcceptor>) -> Result<()> {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    println!("listening port={} pid={}", listener.local_addr()?.port(), std::process::id());
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        match acceptor.clone() {
            Some(acceptor) => drop(tokio::spawn(serve_tls(stream, acceptor, work))),
            None => drop(tokio::spawn(serve(stream, work))),
        }
    }
}

fn main() -> Result<()> {
    let arguments: Vec<String> = std::env::args().collect();
    let works = ["echo", "lines", "messages", "bulk"];
    let named = arguments.get(1).and_then(|name| works.iter().find(|work| *work == name));
    let work = match (named, arguments.len()) {
        (Some(work), 2 | 4) => work,
        _ => {
            eprintln!("usage: bench-server-tokio echo|lines|messages|bulk [CERTIFICATE KEY]");
            std::process::exit(2);
        }
    };
    let acceptor = match arguments.len() {
        4 => Some(load(&arguments[2], &arguments[3])?),
        _ => None,
    };
    tokio::runtime::Builder::new_current_thread().enable_io().build()?.block_on(listen(work, acceptor))
}
