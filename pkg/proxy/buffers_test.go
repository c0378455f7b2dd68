package proxy

import (
	"bufio"
	"io"
	"testing"
	"testing/iotest"
)

// sizes are those of the buffers in which what a reader gives comes.
func sizes(t *testing.T, b *buffers, from io.Reader) (all []int) {
	t.Helper()
	err := b.each(from, func(buffer []byte) error {
		all = append(all, cap(buffer))
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// zeros reads as many zeros at a time as are asked for.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) { return len(b), nil }

func TestABufferIsLargeWhereMuchComesAtATime(t *testing.T) {
	var b buffers
	all := sizes(t, &b, io.LimitReader(zeros{}, 100<<10))
	if all[0] != smallBufferBytes || all[1] != largeBufferBytes {
		t.Errorf("buffers of %d", all)
	}
	// A buffer below is emptied before it is passed by.
	below := bufio.NewReaderSize(io.LimitReader(zeros{}, 10*largeBufferBytes), connBufferBytes)
	all = sizes(t, &b, below)
	if large := len(all) - 1; large > 12 || all[large] != largeBufferBytes {
		t.Errorf("buffers of %d", all)
	}
	much := io.LimitReader(zeros{}, 2*largeBufferBytes)
	little := iotest.OneByteReader(io.LimitReader(zeros{}, 3))
	all = sizes(t, &b, io.MultiReader(much, little))
	if last := all[len(all)-1]; last != smallBufferBytes {
		t.Errorf("who waits for little has a buffer of %d", last)
	}
	if n := b.inUse.Load(); n != 0 {
		t.Errorf("%d large ones are in use", n)
	}
}

func TestLargeBuffersAreFew(t *testing.T) {
	var b buffers
	for range maxLarge {
		if _, ok := b.getLarge(); !ok {
			t.Fatal("there are fewer than there may be")
		}
	}
	for _, size := range sizes(t, &b, io.LimitReader(zeros{}, 100<<10)) {
		if size != smallBufferBytes {
			t.Errorf("there is one of %d more", size)
		}
	}
	b.put(make([]byte, largeBufferBytes))
	if all := sizes(t, &b, io.LimitReader(zeros{}, 100<<10)); all[1] != largeBufferBytes {
		t.Error("one that was given back is not used again")
	}
}
