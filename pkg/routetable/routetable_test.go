package routetable

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"
)

const secret = "s3cr3t-token-value"

func sampleTable() Table {
	return Table{
		Listen:           ":9099",
		InternalSubnets:  []string{"10.1.2.0/24"},
		InternalGateways: []string{"10.1.2.1"},
		Routes: []Route{
			{Path: "/anthropic", Upstream: "https://api.anthropic.com", Auth: &Auth{Scheme: "Bearer", TokenFile: "CRED_PROXY_TOKEN_1"}},
			{Path: "/git", Upstream: "https://git.example.org/base", Auth: &Auth{Scheme: "Basic", Username: "x", TokenFile: "CRED_PROXY_TOKEN_2"}},
			{Path: "/again", Upstream: "https://git.example.org", Auth: &Auth{Scheme: "Header", Header: "X-Api-Key", TokenFile: "CRED_PROXY_TOKEN_1"}},
			{Path: "/env", Upstream: "http://10.9.8.7:8080", Auth: &Auth{Scheme: "Token", TokenEnv: "CRED_PROXY_TOKEN_3"}},
			{Path: "/open", Upstream: "https://example.org"},
		},
	}
}

func sampleTokens() map[string]string {
	return map[string]string{"CRED_PROXY_TOKEN_1": secret, "CRED_PROXY_TOKEN_2": "another-token", "CRED_PROXY_TOKEN_9": "unused"}
}

func noEnv(string) string { return "" }

func seal(t *testing.T, table Table, generation int64, tokens map[string]string) (Table, []File) {
	t.Helper()
	sealed, files, err := Seal(table, generation, tokens, bytes.NewReader(bytes.Repeat([]byte{byte(generation)}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	return sealed, files
}

func volume(files ...File) fstest.MapFS {
	v := fstest.MapFS{}
	for _, f := range files {
		v[f.Name] = &fstest.MapFile{Data: bytes.Clone(f.Data), Mode: f.Mode}
	}
	return v
}

func TestSealedSetLoads(t *testing.T) {
	sealed, files := seal(t, sampleTable(), 17, sampleTokens())

	var names []string
	for _, f := range files {
		names = append(names, fmt.Sprintf("%s %o", f.Name, f.Mode))
	}
	want := []string{"tokens-17/CRED_PROXY_TOKEN_1 400", "tokens-17/CRED_PROXY_TOKEN_2 400", "routes.json 600"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("the files of a push (-want +got):\n%s", diff)
	}

	loaded, err := Load(volume(files...), func(name string) string { return map[string]string{"CRED_PROXY_TOKEN_3": "from-env"}[name] })
	if err != nil {
		t.Fatal(err)
	}
	if loaded.Table.Key != nil {
		t.Error("the key stayed in memory")
	}
	sealed.Key = nil
	if diff := cmp.Diff(sealed, loaded.Table); diff != "" {
		t.Errorf("the table changed on its way (-sealed +loaded):\n%s", diff)
	}
	for i, want := range []string{secret, "another-token", secret, "from-env"} {
		got, ok := loaded.Tokens(loaded.Table.Routes[i].Auth)
		if !ok || len(got) != 1 || got[OnlyToken].Reveal() != want {
			t.Errorf("route %s: got another token than sealed (found: %v)", loaded.Table.Routes[i].Path, ok)
		}
	}
}

func TestUnsetVariableLeavesOneRouteWithoutToken(t *testing.T) {
	_, files := seal(t, sampleTable(), 1, sampleTokens())
	loaded, err := Load(volume(files...), noEnv)
	if err != nil {
		t.Fatal(err)
	}
	if _, ok := loaded.Tokens(loaded.Table.Routes[3].Auth); ok {
		t.Error("a token was found for a variable that is not set")
	}
	if _, ok := loaded.Tokens(loaded.Table.Routes[0].Auth); !ok {
		t.Error("the routes with files lost their tokens")
	}
}

func TestSealLeavesItsInputAlone(t *testing.T) {
	table := sampleTable()
	seal(t, table, 3, sampleTokens())
	if diff := cmp.Diff(sampleTable(), table); diff != "" {
		t.Errorf("the input changed:\n%s", diff)
	}
}

func TestSealRefuses(t *testing.T) {
	good := func(edit func(*Table, map[string]string)) (Table, map[string]string) {
		table, tokens := sampleTable(), sampleTokens()
		edit(&table, tokens)
		return table, tokens
	}
	tests := map[string]struct {
		edit func(*Table, map[string]string)
		want string
	}{
		"missing token":        {func(_ *Table, m map[string]string) { delete(m, "CRED_PROXY_TOKEN_1") }, "no token was given for slot CRED_PROXY_TOKEN_1"},
		"empty token":          {func(_ *Table, m map[string]string) { m["CRED_PROXY_TOKEN_1"] = "" }, "is empty"},
		"token with newline":   {func(_ *Table, m map[string]string) { m["CRED_PROXY_TOKEN_1"] = secret + "\r\nX: y" }, "control character"},
		"token with NUL":       {func(_ *Table, m map[string]string) { m["CRED_PROXY_TOKEN_1"] = secret + "\x00" }, "control character"},
		"endless token":        {func(_ *Table, m map[string]string) { m["CRED_PROXY_TOKEN_1"] = strings.Repeat("a", 64<<10) }, "longer than 16 KiB"},
		"slot that is a path":  {func(t *Table, _ map[string]string) { t.Routes[0].Auth.TokenFile = "../x" }, "is not of the form"},
		"slot number zero":     {func(t *Table, _ map[string]string) { t.Routes[0].Auth.TokenFile = "CRED_PROXY_TOKEN_0" }, "is not of the form"},
		"slot number padded":   {func(t *Table, _ map[string]string) { t.Routes[0].Auth.TokenFile = "CRED_PROXY_TOKEN_01" }, "is not of the form"},
		"variable of the host": {func(t *Table, _ map[string]string) { t.Routes[3].Auth.TokenEnv = "PATH" }, "tokenEnv"},
		"two places":           {func(t *Table, _ map[string]string) { t.Routes[0].Auth.TokenEnv = "CRED_PROXY_TOKEN_1" }, "exactly one"},
		"no place":             {func(t *Table, _ map[string]string) { t.Routes[0].Auth.TokenFile = "" }, "exactly one"},
		"no routes":            {func(t *Table, _ map[string]string) { t.Routes = nil }, "routes is empty"},
		"path twice":           {func(t *Table, _ map[string]string) { t.Routes[1].Path = "/anthropic" }, "appears twice"},
		"path with dots":       {func(t *Table, _ map[string]string) { t.Routes[4].Path = "/a/../b" }, "path begins with /"},
		"path without slash":   {func(t *Table, _ map[string]string) { t.Routes[4].Path = "a" }, "path begins with /"},
		"path with percent":    {func(t *Table, _ map[string]string) { t.Routes[4].Path = "/a%2fb" }, "none of"},
		"upstream of a file":   {func(t *Table, _ map[string]string) { t.Routes[4].Upstream = "file:///etc/passwd" }, "absolute URL"},
		"upstream over ftp":    {func(t *Table, _ map[string]string) { t.Routes[4].Upstream = "ftp://example.org" }, "neither"},
		"upstream with user":   {func(t *Table, _ map[string]string) { t.Routes[4].Upstream = "https://u:p@example.org" }, "user info"},
		"upstream with query":  {func(t *Table, _ map[string]string) { t.Routes[4].Upstream = "https://example.org?a=b" }, "user info"},
		"unknown scheme":       {func(t *Table, _ map[string]string) { t.Routes[0].Auth.Scheme = "Digest" }, "known ones"},
		"username with colon":  {func(t *Table, _ map[string]string) { t.Routes[1].Auth.Username = "a:b" }, "colon"},
		"username of bearer":   {func(t *Table, _ map[string]string) { t.Routes[0].Auth.Username = "a" }, "goes with scheme"},
		"header of bearer":     {func(t *Table, _ map[string]string) { t.Routes[0].Auth.Header = "X-A" }, "goes with scheme"},
		"header that frames":   {func(t *Table, _ map[string]string) { t.Routes[2].Auth.Header = "Transfer-Encoding" }, "frames"},
		"header with a break":  {func(t *Table, _ map[string]string) { t.Routes[2].Auth.Header = "X\r\nY" }, "legal field name"},
		"header missing":       {func(t *Table, _ map[string]string) { t.Routes[2].Auth.Header = "" }, "needs header"},
		"listen on an address": {func(t *Table, _ map[string]string) { t.Listen = "0.0.0.0:9099" }, "listen"},
		"listen on no port":    {func(t *Table, _ map[string]string) { t.Listen = ":99999" }, "listen"},
		"no subnets":           {func(t *Table, _ map[string]string) { t.InternalSubnets = nil }, "internalSubnets is empty"},
		"bad subnet":           {func(t *Table, _ map[string]string) { t.InternalSubnets = []string{"10.0.0.0"} }, "internalSubnets"},
		"method of two words":  {func(t *Table, _ map[string]string) { t.Routes[4].Methods = []string{"GET POST"} }, "is not a legal one"},
		"paths of nothing":     {func(t *Table, _ map[string]string) { t.Routes[4].Paths = &Paths{} }, "neither allow nor deny"},
		"pattern with dots":    {func(t *Table, _ map[string]string) { t.Routes[4].Paths = &Paths{Deny: []string{"/a%2f../b"}} }, "a pattern begins with /"},
		"pattern with percent": {func(t *Table, _ map[string]string) { t.Routes[4].Paths = &Paths{Allow: []string{"/a%2e"}} }, "none of"},
		"relative pattern":     {func(t *Table, _ map[string]string) { t.Routes[4].Paths = &Paths{Allow: []string{"a"}} }, "a pattern begins with /"},
		"push of a path":       {func(t *Table, _ map[string]string) { t.Routes[4].Git = &Git{Push: []string{"/a/b"}} }, "is not a repository"},
		"push with percent":    {func(t *Table, _ map[string]string) { t.Routes[4].Git = &Git{Push: []string{"a%2fb"}} }, "is not a repository"},
		"git with methods": {func(t *Table, _ map[string]string) { t.Routes[4].Git, t.Routes[4].Methods = &Git{}, []string{"GET"} },
			"goes without methods"},
		"unknown mode":      {func(t *Table, _ map[string]string) { t.Routes[4].Git, t.Routes[4].Mode = &Git{}, "Enforce" }, "is unknown"},
		"mode of nothing":   {func(t *Table, _ map[string]string) { t.Routes[4].Mode = ModeWarn }, "mode goes with"},
		"limits of nothing": {func(t *Table, _ map[string]string) { t.Routes[4].Limits = &Limits{} }, "limits is empty"},
		"negative limit":    {func(t *Table, _ map[string]string) { t.Routes[4].Limits = &Limits{BodyBytes: -1} }, "negative"},
		"endless timeout":   {func(t *Table, _ map[string]string) { t.Routes[4].Limits = &Limits{IdleTimeout: 1 << 40} }, "longer than a day"},
		"bad gateway":       {func(t *Table, _ map[string]string) { t.InternalGateways = []string{"gw"} }, "internalGateways"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			table, tokens := good(tt.edit)
			_, _, err := Seal(table, 2, tokens, bytes.NewReader(make([]byte, 64)))
			wantError(t, err, tt.want)
		})
	}
	t.Run("generation zero", func(t *testing.T) {
		_, _, err := Seal(sampleTable(), 0, sampleTokens(), bytes.NewReader(make([]byte, 64)))
		wantError(t, err, "counted from 1")
	})
	t.Run("no randomness", func(t *testing.T) {
		_, _, err := Seal(sampleTable(), 1, sampleTokens(), bytes.NewReader(nil))
		wantError(t, err, "key")
	})
}

func wantError(t *testing.T, err error, want string) {
	t.Helper()
	if err == nil {
		t.Fatalf("no error; want one with %q", want)
	}
	if !strings.Contains(err.Error(), want) {
		t.Errorf("error %q does not say %q", err, want)
	}
	if strings.Contains(err.Error(), secret) {
		t.Errorf("the error shows a token: %q", err)
	}
}

func TestTornAndMixedSetsAreRefused(t *testing.T) {
	_, first := seal(t, sampleTable(), 1, sampleTokens())
	rotated := sampleTokens()
	rotated["CRED_PROXY_TOKEN_1"] = "another-secret"
	_, second := seal(t, sampleTable(), 2, rotated)
	document := func(files []File) File { return files[len(files)-1] }

	sets := map[string]fstest.MapFS{
		"empty volume":                 volume(),
		"tokens without document":      volume(first[:2]...),
		"document without tokens":      volume(document(first)),
		"new document with old tokens": volume(append(slices.Clone(first[:2]), document(second))...),
		"one token missing":            volume(first[0], document(first)),
		"tokens exchanged": volume(
			File{Name: first[0].Name, Data: first[1].Data}, File{Name: first[1].Name, Data: first[0].Data}, document(first)),
		"token of another generation in place": volume(File{Name: first[0].Name, Data: second[0].Data}, first[1], document(first)),
		"empty document":                       volume(first[0], first[1], File{Name: FileName}),
	}
	for n := range len(document(first).Data) {
		sets[fmt.Sprintf("document cut at %d", n)] = volume(first[0], first[1], File{Name: FileName, Data: document(first).Data[:n]})
	}
	for n := range len(secret) {
		sets[fmt.Sprintf("token cut at %d", n)] = volume(File{Name: first[0].Name, Data: first[0].Data[:n]}, first[1], document(first))
	}
	for name, set := range sets {
		_, err := Load(set, noEnv)
		if err == nil {
			t.Errorf("%s: served", name)
		} else if !errors.Is(err, ErrIncomplete) {
			t.Errorf("%s: %q is not taken for a write in progress", name, err)
		}
	}

	t.Run("both generations there serve the one of the document", func(t *testing.T) {
		both := volume(append(slices.Clone(first), second...)...)
		loaded, err := Load(both, noEnv)
		if err != nil || loaded.Table.Generation != 2 {
			t.Errorf("generation %d, %v", loaded.Table.Generation, err)
		}
	})
}

func TestEveryChangedByteIsRefused(t *testing.T) {
	_, files := seal(t, sampleTable(), 1, sampleTokens())
	for i, f := range files {
		for at := range f.Data {
			changed := slices.Clone(files)
			changed[i].Data = bytes.Clone(f.Data)
			changed[i].Data[at] ^= 1
			if _, err := Load(volume(changed...), noEnv); err == nil {
				t.Errorf("%s with byte %d changed was served", f.Name, at)
			}
		}
	}
}

func TestDocumentIsReadStrictly(t *testing.T) {
	_, files := seal(t, sampleTable(), 7, sampleTokens())
	doc := string(files[len(files)-1].Data)
	tests := map[string]struct{ doc, want string }{
		"unknown version":  {strings.Replace(doc, `"version":1`, `"version":2`, 1), "knows version 1"},
		"unknown key":      {strings.Replace(doc, `"version":1`, `"version":1,"extra":1`, 1), "unknown field"},
		"repeated key":     {strings.Replace(doc, `"version":1`, `"version":1,"version":1`, 1), "not written as"},
		"other case":       {strings.Replace(doc, `"listen"`, `"Listen"`, 1), "not written as"},
		"trailing data":    {doc + "{}", "not a JSON object"},
		"wrong type":       {strings.Replace(doc, `":9099"`, `9099`, 1), "not a routing table"},
		"not JSON":         {"version: 1\n", "not a JSON object"},
		"an array":         {"[]", "not a JSON object"},
		"too large":        {doc + strings.Repeat(" ", MaxDocumentBytes), "larger than"},
		"foreign digest":   {strings.Replace(doc, `"routesDigest":"`, `"routesDigest":"0`, 1), "routesDigest"},
		"short key":        {strings.Replace(doc, `"key":"BwcH`, `"key":"`, 1), "the key has"},
		"other generation": {strings.Replace(doc, `"generation":7`, `"generation":8`, 1), "tokenFile"},
		"no generation":    {strings.Replace(doc, `"generation":7`, `"generation":0`, 1), "counted from 1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			set := volume(files...)
			set[FileName].Data = []byte(tt.doc)
			_, err := Load(set, noEnv)
			wantError(t, err, tt.want)
		})
	}
	t.Run("an error names the generation that it could read", func(t *testing.T) {
		set := volume(files...)
		set[files[0].Name].Data = []byte("other")
		loaded, err := Load(set, noEnv)
		if err == nil || loaded.Table.Generation != 7 || loaded.Table.Routes != nil {
			t.Errorf("got %+v, %v", loaded, err)
		}
	})
}

func TestOnlyRegularFilesOfBoundedSizeAreRead(t *testing.T) {
	_, files := seal(t, sampleTable(), 7, sampleTokens())
	t.Run("a directory with the document's name", func(t *testing.T) {
		_, err := Load(fstest.MapFS{FileName: {Mode: fs.ModeDir | 0o700}}, noEnv)
		wantError(t, err, "not a regular file")
	})
	t.Run("a pipe with a token's name", func(t *testing.T) {
		set := volume(files...)
		set[files[0].Name].Mode |= fs.ModeNamedPipe
		_, err := Load(set, noEnv)
		wantError(t, err, "not a regular file")
	})
	t.Run("an oversized token", func(t *testing.T) {
		set := volume(files...)
		set[files[0].Name].Data = bytes.Repeat([]byte("a"), MaxTokenBytes+1)
		_, err := Load(set, noEnv)
		wantError(t, err, "larger than")
	})
	t.Run("a bad token in the environment", func(t *testing.T) {
		_, err := Load(volume(files...), func(string) string { return secret + "\n" })
		wantError(t, err, "the token in variable CRED_PROXY_TOKEN_3 has a control character")
	})
}

func TestRoutesDigestTellsRoutingOnly(t *testing.T) {
	base := sampleTable()
	same := map[string]func(*Table){
		"sealed": func(t *Table) {
			sealed, _, _ := Seal(*t, 44, sampleTokens(), bytes.NewReader(make([]byte, 64)))
			*t = sealed
		},
		"routes in another order":  func(t *Table) { slices.Reverse(t.Routes) },
		"subnets in another order": func(t *Table) { slices.Reverse(t.InternalSubnets) },
		"empty instead of absent":  func(t *Table) { t.Key = []byte{}; t.Digest = "x"; t.Version = 0 },
	}
	for name, edit := range same {
		table := sampleTable()
		edit(&table)
		if RoutesDigest(table) != RoutesDigest(base) {
			t.Errorf("%s: another digest", name)
		}
	}
	other := map[string]func(*Table){
		"listen":    func(t *Table) { t.Listen = ":1" },
		"subnets":   func(t *Table) { t.InternalSubnets = []string{"10.0.0.0/8"} },
		"gateways":  func(t *Table) { t.InternalGateways = nil },
		"hosts":     func(t *Table) { t.HostAddresses = []string{"172.17.0.1"} },
		"private":   func(t *Table) { t.Routes[0].AllowPrivate = true },
		"roots":     func(t *Table) { t.Routes[0].Roots = "x" },
		"proxy":     func(t *Table) { t.Routes[0].ProxyURL = "http://x:1" },
		"path":      func(t *Table) { t.Routes[0].Path = "/x" },
		"upstream":  func(t *Table) { t.Routes[0].Upstream = "https://x" },
		"scheme":    func(t *Table) { t.Routes[0].Auth.Scheme = "Token" },
		"slot":      func(t *Table) { t.Routes[0].Auth.TokenFile = "CRED_PROXY_TOKEN_2" },
		"delivery":  func(t *Table) { t.Routes[0].Auth = &Auth{Scheme: "Bearer", TokenEnv: "CRED_PROXY_TOKEN_1"} },
		"no auth":   func(t *Table) { t.Routes[0].Auth = nil },
		"methods":   func(t *Table) { t.Routes[0].Methods = []string{"GET"} },
		"paths":     func(t *Table) { t.Routes[0].Paths = &Paths{Allow: []string{"/x"}} },
		"git":       func(t *Table) { t.Routes[0].Git = &Git{Fetch: true} },
		"mode":      func(t *Table) { t.Routes[0].Git, t.Routes[0].Mode = &Git{Fetch: true}, ModeWarn },
		"limits":    func(t *Table) { t.Routes[0].Limits = &Limits{RequestsPerMinute: 1} },
		"one fewer": func(t *Table) { t.Routes = t.Routes[1:] },
	}
	seen := map[string]string{RoutesDigest(base): "base"}
	for _, name := range slices.Sorted(maps.Keys(other)) {
		table := sampleTable()
		other[name](&table)
		digest := RoutesDigest(table)
		if twin, ok := seen[digest]; ok {
			t.Errorf("%s and %s have the same digest", name, twin)
		}
		seen[digest] = name
	}
}

func TestDigestDependsOnTheKey(t *testing.T) {
	a, _, err := Seal(sampleTable(), 1, sampleTokens(), bytes.NewReader(bytes.Repeat([]byte{1}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	b, _, err := Seal(sampleTable(), 1, sampleTokens(), bytes.NewReader(bytes.Repeat([]byte{2}, 64)))
	if err != nil {
		t.Fatal(err)
	}
	if a.Digest == b.Digest {
		t.Error("two pushes of the same tokens show the same digest, which tells that the tokens are alike")
	}
}
