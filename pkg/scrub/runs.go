package scrub

// kind is what a byte may be in a needle.
type kind uint8

const (
	inside    kind = 1 << iota // part of one
	percents                   // begins an escape of RFC 3986 section 2.1
	backslash                  // begins an escape of RFC 8259 section 7
)

// publicKinds are those that do not depend on any token: the characters of tokens (RFC 6750 section 2.1) and of escapes.
func publicKinds() (kinds [256]kind) {
	for _, b := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~+/=") {
		kinds[b] = inside
	}
	kinds['%'], kinds['\\'] = inside|percents, inside|backslash
	return kinds
}

// nextRun finds the next run of bytes that may be part of a needle, from a place that is not within one, if it is at least as
// long as the shortest needle. kinds are those of its bytes.
func (n *Needles) nextRun(data []byte, from int) (lo, hi int, kinds kind, ok bool) {
	for from+n.window <= len(data) {
		last := from + n.window - 1
		for last >= from && n.kinds[data[last]] != 0 {
			last--
		}
		if last >= from {
			from = last + 1
			continue
		}
		hi := from
		for _, b := range data[from:] {
			k := n.kinds[b]
			if k == 0 {
				break
			}
			kinds |= k
			hi++
		}
		return from, hi, kinds, true
	}
	return 0, 0, 0, false
}

// decided is how much of data can be judged before what follows it is known: all but the run at its end, of which no more than
// hold bytes are kept. Whatever begins in front of that is whole, unless it is spelled longer than any promise.
func (n *Needles) decided(data []byte) int {
	floor := max(0, len(data)-n.hold)
	i := len(data)
	for i > floor && n.kinds[data[i-1]] != 0 {
		i--
	}
	if i > floor || floor == 0 {
		return i
	}
	// Half of an escape would be read as something else.
	for back := 1; back <= min(i, longestEscape-1); back++ {
		if inURL.size(data[i-back:]) > back || inJSON.size(data[i-back:]) > back {
			return i - back
		}
	}
	return i
}
