package tokens

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path"
	"strings"
	"sync"
	"time"

	"credproxy.dev/controller/internal/tokens/provider"
	"credproxy.dev/controller/internal/tokens/value"
	"credproxy.dev/controller/pkg/reconcile"
	"credproxy.dev/controller/pkg/spec"
)

// ownPrefix begins the controller's own variables, which are flags and never tokens.
const ownPrefix = "CREDPROXY_"

// Options are what the operator permits.
type Options struct {
	// Dir is the directory beneath which files may be tokens (--token-dir); empty permits none. It is opened anew
	// for each token, so that it may be a link that is swapped.
	Dir string
	// EnvPatterns are names of variables that may be tokens, or globs over whole names such as GH_*
	// (--token-env), in the syntax of path.Match.
	EnvPatterns []string
	// Providers are those of --token-providers; nil permits none.
	Providers *provider.Set
	// Lookup reads a variable, as os.LookupEnv does, which nil stands for.
	Lookup func(name string) (value string, ok bool)
	// Lately is for how long after Resolve was asked for a file Watch watches it; it has to be longer than the time
	// between two looks at everything. Zero stands for five minutes.
	Lately time.Duration
	// Log is told when changes are not noticed, and when they are again; nil tells nobody.
	Log *slog.Logger
}

// Resolver resolves references by the operator's rules. It holds no values, but for those that providers gave.
type Resolver struct {
	opts  Options
	files *files

	mu       sync.Mutex
	watchErr error
}

var _ reconcile.Resolver = (*Resolver)(nil)

// New makes a Resolver. It fails when a pattern cannot be read.
func New(opts Options) (*Resolver, error) {
	for _, pattern := range opts.EnvPatterns {
		if _, err := path.Match(pattern, ""); err != nil || pattern == "" || strings.ContainsAny(pattern, "/=") {
			return nil, fmt.Errorf("--token-env %q is neither the name of a variable nor a glob such as GH_*", pattern)
		}
	}
	if opts.Lookup == nil {
		opts.Lookup = os.LookupEnv
	}
	opts.Lately = cmp.Or(opts.Lately, defaultLately)
	opts.Log = cmp.Or(opts.Log, slog.New(slog.DiscardHandler))
	return &Resolver{opts: opts, files: newFiles(opts.Dir)}, nil
}

// Resolve finds the value of a reference. Its errors wrap reconcile.ErrTokenMissing, ErrTokenDenied or
// ErrTokenInvalid, name the reference, and say what to do.
func (r *Resolver) Resolve(ctx context.Context, ref spec.TokenRef) (reconcile.Token, error) {
	if err := ctx.Err(); err != nil {
		return reconcile.Token{}, err
	}
	if err := r.Permitted(ref); err != nil {
		return reconcile.Token{}, err
	}
	token, err := r.token(ctx, ref)
	if err != nil {
		return reconcile.Token{}, fmt.Errorf("token %s: %w", ref, err)
	}
	return token, nil
}

// Close ends what providers are asked for, and waits until their commands have ended.
func (r *Resolver) Close() error {
	if r.opts.Providers == nil {
		return nil
	}
	return r.opts.Providers.Close()
}

// Lifetime is until when the token is in force to which a reference led last; zero where the source does not say. Nothing is
// asked for.
func (r *Resolver) Lifetime(ref spec.TokenRef) reconcile.Lifetime {
	if ref.Provider == "" || r.opts.Providers == nil {
		return reconcile.Lifetime{}
	}
	return r.opts.Providers.Lifetime(ref.Provider, ref.Key)
}

// Changed is since when the source of a reference has the token to which it led last: of a file when it was written, of a
// provider when it first gave this one; zero for a variable, of which nobody knows. Nothing is looked for.
func (r *Resolver) Changed(ref spec.TokenRef) time.Time {
	switch {
	case ref.Provider != "" && r.opts.Providers != nil:
		return r.opts.Providers.Changed(ref.Provider, ref.Key)
	case ref.File != "":
		return r.files.written(ref.File)
	}
	return time.Time{}
}

// Permitted says in Resolve's words why the rules refuse a reference; nil when they do not. Nothing is looked for, so
// that a link which leads out of the directory is left to Resolve.
func (r *Resolver) Permitted(ref spec.TokenRef) error {
	var err error
	switch ref {
	case spec.TokenRef{}:
		err = fmt.Errorf("%w: it names no source: set env, file, or provider and key", reconcile.ErrTokenInvalid)
	case spec.TokenRef{File: ref.File}:
		err = r.filePermitted(ref.File)
	case spec.TokenRef{Env: ref.Env}:
		err = r.envPermitted(ref.Env)
	case spec.TokenRef{Provider: ref.Provider, Key: ref.Key}:
		err = r.providerPermitted(ref)
	default:
		err = fmt.Errorf("%w: it names two sources: keep one", reconcile.ErrTokenInvalid)
	}
	if err != nil {
		return fmt.Errorf("token %s: %w", ref, err)
	}
	return nil
}

// token finds what a permitted reference names.
func (r *Resolver) token(ctx context.Context, ref spec.TokenRef) (reconcile.Token, error) {
	if ref.Provider != "" {
		return r.opts.Providers.Token(ctx, ref.Provider, ref.Key)
	}
	text, err := r.text(ctx, ref)
	if err != nil {
		return reconcile.Token{}, err
	}
	return check(text)
}

// text reads a file or a variable.
func (r *Resolver) text(ctx context.Context, ref spec.TokenRef) (string, error) {
	if ref.File != "" {
		return r.files.text(ctx, ref.File)
	}
	return r.env(ref.Env)
}

// providerPermitted refuses a provider that the operator did not declare.
func (r *Resolver) providerPermitted(ref spec.TokenRef) error {
	if r.opts.Providers == nil {
		return fmt.Errorf("%w: add --token-providers FILE to permit the providers that it declares", reconcile.ErrTokenDenied)
	}
	return r.opts.Providers.Permitted(ref.Provider, ref.Key)
}

// envPermitted refuses a variable that the operator did not name, whether or not it is set.
func (r *Resolver) envPermitted(name string) error {
	switch {
	case strings.HasPrefix(name, ownPrefix):
		return fmt.Errorf("%w: variables that begin with %s are the controller's own: use another name",
			reconcile.ErrTokenDenied, ownPrefix)
	case !r.named(name):
		return fmt.Errorf("%w: add --token-env %s to permit it", reconcile.ErrTokenDenied, name)
	}
	return nil
}

// env reads a variable.
func (r *Resolver) env(name string) (string, error) {
	value, ok := r.opts.Lookup(name)
	if !ok {
		return "", fmt.Errorf("%w: set the variable in the controller's environment and start it again", reconcile.ErrTokenMissing)
	}
	return value, nil
}

// named reports whether the operator named a variable.
func (r *Resolver) named(name string) bool {
	if strings.ContainsAny(name, "/=\x00") {
		return false
	}
	for _, pattern := range r.opts.EnvPatterns {
		if ok, err := path.Match(pattern, name); ok && err == nil {
			return true
		}
	}
	return false
}

var errEmpty = errors.New("it is empty: write the token into it")

// check refuses what cannot be a token, and what is none.
func check(text string) (reconcile.Token, error) {
	text, err := value.Check(text)
	switch {
	case err != nil:
		return reconcile.Token{}, fmt.Errorf("%w: %w", reconcile.ErrTokenInvalid, err)
	case text == "":
		return reconcile.Token{}, fmt.Errorf("%w: %w", reconcile.ErrTokenMissing, errEmpty)
	}
	return reconcile.NewToken(text), nil
}
