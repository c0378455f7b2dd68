package proxy

import (
	"io"
	"sync"
)

const (
	// copyBufferBytes is the most that is read at a time, and smallBufferBytes what is, as long as no more comes: most who wait
	// for a long time wait for little.
	copyBufferBytes  = 16 << 10
	smallBufferBytes = 4 << 10
)

// buffers are used again and again. Arrays behind pointers go in and out of a pool without an allocation.
type buffers struct{ small, large sync.Pool }

// each reads to the end, and hands on what comes piece by piece. It returns the first error of either.
func (b *buffers) each(from io.Reader, take func(piece []byte) error) error {
	buffer := b.get(smallBufferBytes)
	defer func() { b.put(buffer) }()
	for {
		n, err := from.Read(buffer)
		if n > 0 {
			if err := take(buffer[:n]); err != nil {
				return err
			}
		}
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if n == smallBufferBytes {
			b.put(buffer)
			buffer = b.get(copyBufferBytes)
		}
	}
}

func (b *buffers) get(size int) []byte {
	if size == smallBufferBytes {
		if array, ok := b.small.Get().(*[smallBufferBytes]byte); ok {
			return array[:]
		}
	} else if array, ok := b.large.Get().(*[copyBufferBytes]byte); ok {
		return array[:]
	}
	return make([]byte, size)
}

func (b *buffers) put(buffer []byte) {
	if len(buffer) == smallBufferBytes {
		b.small.Put((*[smallBufferBytes]byte)(buffer))
	} else {
		b.large.Put((*[copyBufferBytes]byte)(buffer))
	}
}
