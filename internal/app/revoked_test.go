package app

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"credproxy.dev/controller/internal/revocation"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/routetable"
	"credproxy.dev/controller/pkg/spec"
)

func TestWhatIsRevokedIsWithheld(t *testing.T) {
	web := &spec.CredProxy{}
	web.Name = "web"
	web.Spec.Routes = []spec.Route{
		{Path: "/a", Auth: &spec.Auth{TokenRef: spec.TokenRef{Env: "A"}}},
		{Path: "/b", Auth: &spec.Auth{TokenRef: spec.TokenRef{Env: "B"}}},
		{Path: "/mtls", ClientCertificate: &spec.ClientCertificate{KeyRef: spec.TokenRef{File: "web.key"}}},
		{Path: "/none"},
		{Path: "/both", Auth: &spec.Auth{Scheme: spec.SchemeCustom, Tokens: map[string]spec.TokenRef{"c": {Env: "C"}, "b": {Env: "B"}}}},
	}
	keyed := web.DeepCopy()
	keyed.Name = "keyed"
	keyed.Spec.CallerAuth = &spec.CallerAuth{KeyRef: spec.TokenRef{File: "key"}}
	outlived, bare := web.DeepCopy(), web.DeepCopy()
	outlived.Name, bare.Name = "outlived", "bare"
	bare.Spec.Routes = web.Spec.Routes[2:3]
	for _, tc := range []struct {
		name string
		list revocation.List
		// want has of each name the words of its routes; "*" stands for all.
		want map[string]map[string]routetable.Withheld
	}{
		{"nothing", revocation.List{}, nil},
		{"a spec, and one that no file declares", revocation.List{Names: []string{"web", "gone"}}, map[string]map[string]routetable.Withheld{
			"web": {"*": "revoked"}, "gone": {"*": "revoked"},
		}},
		{"a token", revocation.List{Tokens: []spec.TokenRef{{Env: "A"}}}, map[string]map[string]routetable.Withheld{
			"web": {"/a": "revoked"}, "keyed": {"/a": "revoked"}, "outlived": {"*": "revoked"},
		}},
		{"one of several tokens", revocation.List{Tokens: []spec.TokenRef{{Env: "C"}}}, map[string]map[string]routetable.Withheld{
			"web": {"/both": "revoked"}, "keyed": {"/both": "revoked"}, "outlived": {"*": "revoked"},
		}},
		{"the key of a client certificate", revocation.List{Tokens: []spec.TokenRef{{File: "web.key"}}}, map[string]map[string]routetable.Withheld{
			"web": {"/mtls": "revoked"}, "keyed": {"/mtls": "revoked"}, "outlived": {"*": "revoked"}, "bare": {"*": "revoked"},
		}},
		{"a caller key", revocation.List{Tokens: []spec.TokenRef{{File: "key"}}}, map[string]map[string]routetable.Withheld{
			"keyed": {"*": "revoked"},
		}},
	} {
		t.Run(tc.name, func(t *testing.T) {
			d := reconcile.Declared{Specs: []*spec.CredProxy{web, keyed}, Withheld: map[string]reconcile.Withholding{}}
			(&revoked{list: tc.list}).withhold(&d, []*spec.CredProxy{web, outlived, bare})
			var got map[string]map[string]routetable.Withheld
			for name, w := range d.Withheld {
				if got == nil {
					got = map[string]map[string]routetable.Withheld{}
				}
				got[name] = map[string]routetable.Withheld{}
				for path, one := range w.Routes {
					got[name][path] = one.Word
				}
				if w.All != nil {
					got[name]["*"] = w.All.Word
				}
			}
			if diff := cmp.Diff(tc.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestWhatIsRevokedStaysSoWhenItsFileIsAway(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "state")
	change := func(f func(*revocation.List)) {
		if err := revocation.Change(t.Context(), dir, "default", f); err != nil {
			t.Fatal(err)
		}
	}
	web := revocation.List{Names: []string{"web"}}
	change(func(l *revocation.List) { l.Add(web) })
	r, err := newRevoked(Options{StateDir: dir, Instance: "default"})
	if err != nil {
		t.Fatal(err)
	}
	if err := os.Rename(dir, dir+"-away"); err != nil {
		t.Fatal(err)
	}
	if changed, err := r.read(); changed || err == nil || r.list.Empty() {
		t.Errorf("changed %v, %v, still revoked: %v", changed, err, r.list)
	}
	if err := os.Rename(dir+"-away", dir); err != nil {
		t.Fatal(err)
	}
	change(func(l *revocation.List) { l.Remove(web) })
	if changed, err := r.read(); !changed || err != nil || !r.list.Empty() {
		t.Errorf("changed %v, %v, still revoked: %v", changed, err, r.list)
	}
}
