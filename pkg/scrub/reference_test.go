package scrub

import (
	"bytes"
	"encoding/hex"
	"slices"
)

// reference says of each byte of a text whether it is part of an occurrence, slowly. must has those that are written in at most
// bound bytes.
func reference(text []byte, tokens []string, bound int) (must, may []bool) {
	must, may = make([]bool, len(text)), make([]bool, len(text))
	for _, token := range tokens {
		if len(token) < MinTokenBytes {
			continue
		}
		for _, n := range appearances(token) {
			for _, undo := range []func([]byte) ([]byte, []span){plainly, unpercented, unescaped} {
				decoded, places := undo(text)
				for at := 0; ; at++ {
					i := bytes.Index(decoded[at:], n.text)
					if i < 0 {
						break
					}
					at += i
					from, to := match{at, &n}.reach(decoded)
					occurrence := places[from:to]
					for _, p := range occurrence {
						for k := p.from; k < p.to; k++ {
							may[k] = true
							must[k] = must[k] || occurrence[len(occurrence)-1].to-occurrence[0].from <= bound
						}
					}
					for k := occurrence[0].from - 1; k >= 0 && text[k] == '\\'; k-- {
						may[k] = true
					}
					for p := 1; p < len(occurrence); p++ { // backslashes between
						for k := occurrence[p-1].to; k < occurrence[p].from; k++ {
							may[k] = true
						}
					}
				}
			}
		}
	}
	return must, may
}

func plainly(text []byte) ([]byte, []span) {
	var places []span
	for i := range text {
		places = append(places, span{i, i + 1})
	}
	return slices.Clone(text), places
}

func unpercented(text []byte) (out []byte, places []span) {
	for i := 0; i < len(text); {
		size, b := 1, text[i]
		if b == '%' && i+3 <= len(text) {
			if v, err := hex.DecodeString(string(text[i+1 : i+3])); err == nil {
				size, b = 3, v[0]
			}
		}
		out, places = append(out, b), append(places, span{i, i + size})
		i += size
	}
	return out, places
}

func unescaped(text []byte) (out []byte, places []span) {
	for i := 0; i < len(text); {
		if text[i] != '\\' {
			out, places = append(out, text[i]), append(places, span{i, i + 1})
			i++
			continue
		}
		if i+6 <= len(text) && string(text[i:i+4]) == `\u00` {
			if v, err := hex.DecodeString(string(text[i+4 : i+6])); err == nil {
				out, places = append(out, v[0]), append(places, span{i, i + 6})
				i += 6
				continue
			}
		}
		i++
	}
	return out, places
}
