package page

import (
	"bytes"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"time"

	"credproxy.dev/controller/pkg/nearest"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/source"
	"credproxy.dev/controller/pkg/spec"
)

// Controller is what the pages show.
type Controller interface {
	List() []spec.CredProxy
	Get(name string) (spec.CredProxy, bool)
	Events() []reconcile.Event
}

// Options are what the pages show.
type Options struct {
	Controller Controller
	// Sources returns every file of the last scan, and why that was not complete.
	Sources func() ([]source.FileStatus, error)
	// Ready returns nil when the controller is ready; otherwise why not.
	Ready func() error
	// Bell is rung when something changes.
	Bell *Bell
	// Instance and Version say which controller it is.
	Instance, Version string
}

// policy lets a page load its own files, and nothing else: what is in it can run no script and send nothing anywhere, even if it got
// past the escaping. No string becomes markup but by the one name that the page's own script uses (Trusted Types).
const policy = "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; img-src 'self'; form-action 'self'; " +
	"base-uri 'none'; frame-ancestors 'none'; require-trusted-types-for 'script'; trusted-types credproxy"

// site serves the pages.
type site struct {
	Options
	assets    *assets
	templates map[string]*template.Template
}

// Handler serves the pages. It leaves it to others who may ask, and by which method.
func Handler(opts Options) (http.Handler, error) {
	if opts.Bell == nil {
		opts.Bell = &Bell{}
	}
	s := &site{Options: opts}
	var err error
	if s.assets, err = loadAssets(); err != nil {
		return nil, err
	}
	if s.templates, err = loadTemplates(s.assets); err != nil {
		return nil, err
	}
	mux := http.NewServeMux()
	mux.HandleFunc("/{$}", s.list)
	mux.HandleFunc("/environments/{name}", s.one)
	mux.HandleFunc("/files", s.listFiles)
	mux.HandleFunc("/events", s.listEvents)
	mux.Handle("/changes", &watchers{bell: opts.Bell})
	mux.HandleFunc("/assets/{name}", s.asset)
	mux.HandleFunc("/", s.nowhere)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Security-Policy", policy)
		w.Header().Set("Cross-Origin-Opener-Policy", "same-origin")
		mux.ServeHTTP(w, r)
	}), nil
}

// loadTemplates makes a template of each page, with the frame that all have.
func loadTemplates(a *assets) (map[string]*template.Template, error) {
	base := template.New("frame.html").Funcs(template.FuncMap{"asset": a.url, "link": listURL})
	base, err := base.ParseFS(embedded, "templates/frame.html", "templates/parts.html")
	if err != nil {
		return nil, err
	}
	all := map[string]*template.Template{}
	for _, name := range []string{"list", "environment", "files", "events", "problem"} {
		one, err := base.Clone()
		if err != nil {
			return nil, err
		}
		if all[name], err = one.ParseFS(embedded, "templates/"+name+".html"); err != nil {
			return nil, err
		}
	}
	return all, nil
}

// frame is what every page has around its content.
type frame struct {
	Title string
	// Level decides about the icon.
	Level level
	// Here is the part of the site that the page is in.
	Here              string
	Instance, Version string
	// Build is that of the assets, Rings how often the bell was rung before this page was made, and At when that was.
	Build   string
	Rings   uint64
	At      moment
	Content any
}

// begin is the frame of a page that is yet to be made: what changes from here on may be missing in it.
func (s *site) begin(here string) frame {
	now := time.Now().UTC()
	rings, _ := s.Bell.Next()
	return frame{
		Here: here, Level: fine, Instance: s.Instance, Version: s.Version, Build: s.assets.build, Rings: rings,
		At: moment{Exact: now.Format(time.RFC3339), Ago: now.Format("2006-01-02 15:04:05 UTC")},
	}
}

// answer writes a page.
func (s *site) answer(w http.ResponseWriter, code int, name string, f frame) {
	var b bytes.Buffer
	if err := s.templates[name].Execute(&b, f); err != nil {
		http.Error(w, "the page could not be written: "+strconv.Quote(err.Error()), http.StatusInternalServerError)
		return
	}
	out := legible(b.Bytes())
	w.Header().Set("Content-Type", "text/html; charset=utf-8")
	w.Header().Set("Content-Length", strconv.Itoa(len(out)))
	w.WriteHeader(code)
	_, _ = w.Write(out)
}

// known gathers all that there is to know, once for a page.
func (s *site) known() known {
	k := known{now: time.Now(), environments: s.Controller.List(), notReady: s.Ready()}
	k.files, k.scanErr = s.Sources()
	return k
}

// asked is 200, or 400 when a URL asks for something that does not exist.
func asked(problems []string) int {
	if len(problems) > 0 {
		return http.StatusBadRequest
	}
	return http.StatusOK
}

func (s *site) list(w http.ResponseWriter, r *http.Request) {
	f, asks := s.begin("environments"), filterOf(r.URL.Query())
	all := fleetOf(s.known(), asks)
	f.Title, f.Level, f.Content = all.Verdict.Short, all.Verdict.Level, all
	s.answer(w, asked(asks.Problems), "list", f)
}

func (s *site) one(w http.ResponseWriter, r *http.Request) {
	f, name := s.begin("environment"), r.PathValue("name")
	cp, ok := s.Controller.Get(name)
	if !ok {
		s.unknown(w, f, name)
		return
	}
	files, _ := s.Sources() // that not all could be read is told where they are listed
	d := detailOf(&cp, files, s.Controller.Events(), time.Now())
	f.Title, f.Level, f.Content = d.State.Word+": "+d.Name, d.State.Level, d
	s.answer(w, http.StatusOK, "environment", f)
}

// unknown says that no environment has a name, and which was perhaps meant.
func (s *site) unknown(w http.ResponseWriter, f frame, name string) {
	p := wrong{Title: fmt.Sprintf("There is no environment %q", short(name, 80)), Words: "No spec file declares it, and nothing is left of it."}
	p.Meant = meant(name, s.names(), environmentURL)
	f.Title, f.Level, f.Content = "no such environment", unknown, p
	s.answer(w, http.StatusNotFound, "problem", f)
}

// names are those of all environments.
func (s *site) names() []string { return namesOf(s.Controller.List()) }

// meant links to the name that is nearest to one that is not there; to none when it is there, or none is near.
func meant(name string, names []string, at func(string) string) []link {
	if slices.Contains(names, name) {
		return nil
	}
	if near := nearest.Name(name, names); near != "" {
		return []link{{near, at(near)}}
	}
	return nil
}

// wrong is a page that is not there.
type wrong struct {
	Title, Words string
	Meant        []link
}

func (s *site) listFiles(w http.ResponseWriter, r *http.Request) {
	f := s.begin("files")
	files, scanErr := s.Sources()
	p := filesOf(files, scanErr, r.URL.Query())
	if scanErr != nil || slices.ContainsFunc(files, func(f source.FileStatus) bool { return f.State == source.FileInvalid }) {
		f.Level = bad
	}
	f.Title, f.Content = "files", p
	s.answer(w, asked(p.Problems), "files", f)
}

func (s *site) listEvents(w http.ResponseWriter, r *http.Request) {
	f, p := s.begin("events"), eventsOf(s.Controller.Events(), s.names, r.URL.Query(), time.Now())
	f.Title, f.Content = "events", p
	s.answer(w, asked(p.Problems), "events", f)
}

func (s *site) asset(w http.ResponseWriter, r *http.Request) {
	if !s.assets.serve(w, r, r.PathValue("name")) {
		s.nowhere(w, r)
	}
}

func (s *site) nowhere(w http.ResponseWriter, r *http.Request) {
	f := s.begin("")
	f.Title, f.Level = "no such page", unknown
	f.Content = wrong{Title: fmt.Sprintf("There is no page %q", short(r.URL.Path, 80)), Words: "What there is stands above."}
	s.answer(w, http.StatusNotFound, "problem", f)
}
