package proxy

import (
	"io"
	"sync"
	"sync/atomic"
)

const (
	// smallBufferBytes is a buffer's size as long as little comes at a time: most who wait for long wait for little. largeBufferBytes
	// is that of one that was filled; larger ones cost more than they save.
	smallBufferBytes = 2 << 10
	largeBufferBytes = 32 << 10
	// maxLarge is how many large ones there are at a time: 8 MiB, of a container that has 64. Others go on with small ones.
	maxLarge = 256
	// roomBytes is the place in front of what is read, for what is held back of the piece before.
	roomBytes = 512
)

// buffers are used again and again. Arrays behind pointers go in and out of a pool without an allocation.
type buffers struct {
	small, large sync.Pool
	// inUse is how many large ones are.
	inUse atomic.Int64
}

// each reads to the end, and hands on what comes piece by piece, behind roomBytes that are free, as is the buffer until the next
// piece. It returns the first error of either.
func (b *buffers) each(from io.Reader, take func(buffer []byte) error) error {
	buffer, little := b.getSmall(), 0
	defer func() { b.put(buffer) }()
	for {
		n, err := from.Read(buffer[roomBytes:])
		if n > 0 {
			if err := take(buffer[:roomBytes+n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n >= smallBufferBytes-roomBytes {
			buffer, little = b.grow(buffer), 0
		} else if little++; little > 1 { // one may be what was left in another's buffer
			buffer = b.shrink(buffer)
		}
	}
}

// grow returns a large buffer for one that was filled, while there is one.
func (b *buffers) grow(buffer []byte) []byte {
	if len(buffer) == largeBufferBytes {
		return buffer
	}
	large, ok := b.getLarge()
	if !ok {
		return buffer
	}
	b.put(buffer)
	return large
}

// shrink returns a small buffer for one of which little is used.
func (b *buffers) shrink(buffer []byte) []byte {
	if len(buffer) == smallBufferBytes {
		return buffer
	}
	b.put(buffer)
	return b.getSmall()
}

func (b *buffers) getSmall() []byte {
	if array, ok := b.small.Get().(*[smallBufferBytes]byte); ok {
		return array[:]
	}
	return make([]byte, smallBufferBytes)
}

// getLarge reports false when all are in use.
func (b *buffers) getLarge() ([]byte, bool) {
	if b.inUse.Add(1) > maxLarge {
		b.inUse.Add(-1)
		return nil, false
	}
	if array, ok := b.large.Get().(*[largeBufferBytes]byte); ok {
		return array[:], true
	}
	return make([]byte, largeBufferBytes), true
}

func (b *buffers) put(buffer []byte) {
	if len(buffer) == smallBufferBytes {
		b.small.Put((*[smallBufferBytes]byte)(buffer))
		return
	}
	b.large.Put((*[largeBufferBytes]byte)(buffer))
	b.inUse.Add(-1)
}
