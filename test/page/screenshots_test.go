//go:build page

package page

import (
	"bytes"
	"cmp"
	"context"
	"flag"
	"image"
	"image/color"
	"image/png"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/chromedp/chromedp"

	"credproxy.dev/controller/internal/pagetest"
)

// screenshots is where the pictures of the documents are written; without it they are only made.
var screenshots = flag.String("screenshots", "", "the `directory` to write the pictures of docs/page.md to") //nolint:gochecknoglobals // a flag of the test binary

// mostBytes is how large a picture of the documents may be.
const mostBytes = 120 << 10

func TestThePicturesOfTheDocuments(t *testing.T) {
	browser := newBrowser(t)
	base := serve(t, knowing(pagetest.Troubled(24)))
	for name, picture := range map[string]struct {
		path          string
		width, height int64
		scheme        string
	}{
		"page-list.png":        {"/", 1200, 1240, "light"},
		"page-environment.png": {"/environments/api", 1200, 1180, "dark"},
		"page-phone.png":       {"/?state=attention", 390, 1000, "light"},
	} {
		b := newTab(browser, t, base)
		b.scheme(picture.scheme)
		b.size(picture.width, picture.height)
		b.open(picture.path)
		b.live()
		ctx, cancel := context.WithTimeout(b.ctx, patience)
		shot, err := chromedp.Run(ctx, chromedp.CaptureScreenshot())
		cancel()
		if err != nil {
			t.Fatal(err)
		}
		small := compact(t, shot)
		if len(small) > mostBytes {
			t.Errorf("%s has %d bytes, and may have %d", name, len(small), mostBytes)
		}
		if *screenshots != "" {
			if err := os.WriteFile(filepath.Join(*screenshots, name), small, 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// compact encodes a picture with the 256 colours that are most frequent in it, as those of a page are few.
func compact(t *testing.T, encoded []byte) []byte {
	t.Helper()
	full, err := png.Decode(bytes.NewReader(encoded))
	if err != nil {
		t.Fatal(err)
	}
	times := map[color.RGBA]int{}
	bounds := full.Bounds()
	at := func(x, y int) color.RGBA {
		r, g, b, _ := full.At(x, y).RGBA()
		return color.RGBA{R: uint8(r >> 8), G: uint8(g >> 8), B: uint8(b >> 8), A: 255}
	}
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			times[at(x, y)]++
		}
	}
	byTimes := slices.SortedFunc(maps.Keys(times), func(a, b color.RGBA) int { return cmp.Compare(times[b], times[a]) })
	palette := color.Palette{}
	for _, c := range byTimes[:min(256, len(byTimes))] {
		palette = append(palette, c)
	}
	nearest := map[color.RGBA]uint8{}
	out := image.NewPaletted(bounds, palette)
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			c := at(x, y)
			index, ok := nearest[c]
			if !ok {
				index = uint8(palette.Index(c))
				nearest[c] = index
			}
			out.SetColorIndex(x, y, index)
		}
	}
	var b bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&b, out); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}
