package routetable

import (
	"bytes"
	"testing"
)

func FuzzParse(f *testing.F) {
	_, files, err := Seal(sampleTable(), 7, sampleTokens(), bytes.NewReader(make([]byte, 64)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(files[len(files)-1].Data)
	_, files, err = Seal(customTable(), 7, customTokens(), bytes.NewReader(make([]byte, 64)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(files[len(files)-1].Data)
	f.Add([]byte("{}"))
	f.Add([]byte(`{"version":1,"generation":-1}`))
	f.Fuzz(func(t *testing.T, doc []byte) {
		table, err := Parse(doc)
		if err != nil {
			if table.Routes != nil || table.Key != nil || table.Digest != "" {
				t.Errorf("a refused document left %+v", table)
			}
			return
		}
		again, err := encode(table)
		if err != nil || !bytes.Equal(again, doc) {
			t.Errorf("%q was accepted, but is not what is written for it: %q", doc, again)
		}
	})
}

// FuzzLoad changes a whole set in one place; whatever is served has to be the set that was sealed.
func FuzzLoad(f *testing.F) {
	_, files, err := Seal(sampleTable(), 7, sampleTokens(), bytes.NewReader(make([]byte, 64)))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(uint8(0), uint16(3), []byte("x"))
	f.Add(uint8(2), uint16(30), []byte("\"\n"))
	f.Add(uint8(1), uint16(0), []byte{})
	f.Fuzz(func(t *testing.T, which uint8, at uint16, with []byte) {
		changed := make([]File, len(files))
		copy(changed, files)
		file := &changed[int(which)%len(changed)]
		before := file.Data[:int(at)%(len(file.Data)+1)]
		after := file.Data[min(len(before)+len(with), len(file.Data)):]
		original := file.Data
		file.Data = bytes.Join([][]byte{before, with, after}, nil)
		_, err := Load(volume(changed...), noEnv)
		if same := bytes.Equal(file.Data, original); same != (err == nil) {
			t.Errorf("%s changed: %v; error: %v", file.Name, !same, err)
		}
	})
}
