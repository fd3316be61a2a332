// SPDX-License-Identifier: MIT
//
// tools/bench's server in Go: a goroutine for each connection, bufio to read lines, crypto/tls when
// it is given a certificate. One processor, as every server here has.
package main

import (
	"bufio"
	"bytes"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"os"
	"runtime"
)

const limit = 64 * 1024

var errTooLong = errors.New("line too long")

// readLine gives a line with its end, in the reader's own memory where it fits. At the end of input
// it gives what is left, and the error of that end.
func readLine(reader *bufio.Reader) ([]byte, error) {
	line, err := reader.ReadSlice('\n')
	if err != bufio.ErrBufferFull {
		return line, err
	}
	long := append([]byte(nil), line...)
	for err == bufio.ErrBufferFull {
		line, err = reader.ReadSlice('\n')
		long = append(long, line...)
		if len(long) > limit+1 {
			return nil, errTooLong
		}
	}
	return long, err
}

func echo(connection net.Conn) {
	reader := bufio.NewReader(connection)
	for {
		line, err := readLine(reader)
		if len(line) > 0 {
			if _, err := connection.Write(line); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func lines(connection net.Conn) {
	reader := bufio.NewReaderSize(connection, limit)
	var count, size int
	for {
		line, err := readLine(reader)
		if err == errTooLong {
			return
		}
		if len(line) > 0 {
			count++
			size += len(line)
		}
		if err != nil {
			break
		}
	}
	fmt.Fprintf(connection, "%d %d\n", count, size)
}

func messages(connection net.Conn) {
	reader := bufio.NewReaderSize(connection, limit)
	var count, size int
	end := []byte("\r\n")
	message := 0
	ended := false // the line before was ended by CRLF
	for {
		line, err := readLine(reader)
		if err != nil {
			break
		}
		message += len(line)
		if !bytes.HasSuffix(line, end) {
			ended = false
		} else if ended && len(line) == len(end) {
			count++
			size += message
			message, ended = 0, false
		} else {
			ended = true
		}
	}
	fmt.Fprintf(connection, "%d %d\n", count, size)
}

func bulk(connection net.Conn) {
	block := make([]byte, 64*1024)
	for {
		count, err := connection.Read(block)
		if count > 0 {
			if _, err := connection.Write(block[:count]); err != nil {
				return
			}
		}
		if err != nil {
			return
		}
	}
}

func main() {
	works := map[string]func(net.Conn){"echo": echo, "lines": lines, "messages": messages, "bulk": bulk}
	if len(os.Args) != 2 && len(os.Args) != 4 || works[os.Args[1]] == nil {
		fmt.Fprintln(os.Stderr, "usage: server_go echo|lines|messages|bulk [CERTIFICATE KEY]")
		os.Exit(2)
	}
	runtime.GOMAXPROCS(1)
	work := works[os.Args[1]]
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	port := listener.Addr().(*net.TCPAddr).Port
	if len(os.Args) == 4 {
		pair, err := tls.LoadX509KeyPair(os.Args[2], os.Args[3])
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		listener = tls.NewListener(listener, &tls.Config{Certificates: []tls.Certificate{pair}})
	}
	fmt.Printf("listening port=%d pid=%d\n", port, os.Getpid())
	for {
		connection, err := listener.Accept()
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		go func() {
			defer connection.Close()
			work(connection)
		}()
	}
}
