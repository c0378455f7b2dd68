package proxy

// preface is how a client begins that knows beforehand that the server speaks HTTP/2 (RFC 9113 section 3.4).
const preface = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"

// greeting follows the first bytes of a connection, which say what it speaks.
type greeting struct {
	// matched is how many bytes are those of the preface; other is whether one was not.
	matched int
	other   bool
}

// framed reports whether the connection speaks HTTP/2.
func (g *greeting) framed() bool { return g.matched == len(preface) }

// read takes note of bytes, until they have decided.
func (g *greeting) read(data []byte) {
	for _, b := range data {
		if g.other || g.framed() {
			return
		}
		if b != preface[g.matched] {
			g.other = true
			return
		}
		g.matched++
	}
}
