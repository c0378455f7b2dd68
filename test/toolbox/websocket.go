package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"
)

// maxMessage is the longest payload of a frame with a length of seven bits, RFC 6455 section 5.2; enough for an echo.
const maxMessage = 125

const textFrame = 0x81 // FIN, and opcode 1

// acceptKey is the server's half of the handshake, RFC 6455 section 4.2.2.
func acceptKey(key string) string {
	sum := sha1.Sum([]byte(key + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// websocket echoes one message and closes.
func (r *recorder) websocket(w http.ResponseWriter, req *http.Request) {
	r.remember(req)
	if req.Header.Get("Upgrade") != "websocket" {
		http.Error(w, "not a WebSocket", http.StatusUpgradeRequired)
		return
	}
	conn, buf, err := http.NewResponseController(w).Hijack()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	defer conn.Close()
	fmt.Fprintf(conn, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Accept: %s\r\n\r\n", acceptKey(req.Header.Get("Sec-WebSocket-Key")))
	message, err := readFrame(buf)
	if err != nil {
		return
	}
	_, _ = conn.Write(append([]byte{textFrame, byte(len(message))}, message...))
}

// readFrame reads one short frame, masked or not.
func readFrame(r io.Reader) ([]byte, error) {
	var head [2]byte
	if _, err := io.ReadFull(r, head[:]); err != nil {
		return nil, err
	}
	if head[0] != textFrame || head[1]&0x7f > maxMessage {
		return nil, fmt.Errorf("a frame of type %#x and length %d is not for this echo", head[0], head[1]&0x7f)
	}
	var mask [4]byte
	if head[1]&0x80 != 0 {
		if _, err := io.ReadFull(r, mask[:]); err != nil {
			return nil, err
		}
	}
	message := make([]byte, head[1]&0x7f)
	_, err := io.ReadFull(r, message)
	for i := range message {
		message[i] ^= mask[i%4]
	}
	return message, err
}

// echoOnce is the client of the echo.
func echoOnce(ctx context.Context, args []string, stdout io.Writer) error {
	if len(args) != 2 || len(args[1]) > maxMessage {
		return fmt.Errorf("ws wants a URL and a message of at most %d bytes", maxMessage)
	}
	target, err := url.Parse(args[0])
	if err != nil {
		return err
	}
	dialer := net.Dialer{Timeout: patience}
	conn, err := dialer.DialContext(ctx, "tcp", target.Host)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := conn.SetDeadline(time.Now().Add(patience)); err != nil {
		return err
	}
	key := base64.StdEncoding.EncodeToString([]byte(rand.Text())[:16])
	fmt.Fprintf(conn, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"+
		"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %s\r\n\r\n", target.RequestURI(), target.Host, key)
	in := bufio.NewReader(conn)
	resp, err := http.ReadResponse(in, nil)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		return fmt.Errorf("the answer was %s", resp.Status)
	}
	if resp.Header.Get("Sec-WebSocket-Accept") != acceptKey(key) {
		return errors.New("the answer is not to this handshake")
	}
	// The mask is of zeros: this client hides nothing from caches on the way.
	frame := append([]byte{textFrame, 0x80 | byte(len(args[1])), 0, 0, 0, 0}, args[1]...)
	if _, err := conn.Write(frame); err != nil {
		return err
	}
	message, err := readFrame(in)
	if err != nil {
		return err
	}
	fmt.Fprintf(stdout, "%s\n", message)
	return nil
}
