package apigen

import (
	"fmt"
	"path/filepath"
	"strings"

	"credproxy.dev/controller/internal/apischema"
)

// Document is a kind of file.
type Document struct {
	Kind string
	// dir has the package, and root is the type in it that such a file is read into.
	dir, root string
	// pages are those with a table of its fields.
	Page string
}

// Documents are all kinds of files that people write.
func Documents() []Document {
	return []Document{
		{"CredProxy", "pkg/spec", "fileObject", "docs/spec.md"},
		{"TokenPolicy", "pkg/policy", "Document", "docs/policy.md"},
		{"TokenProviders", "internal/tokens/provider", "document", "docs/tokens.md"},
	}
}

// SchemaFile is the path of its JSON Schema in the project.
func (d Document) SchemaFile() string {
	return "config/schema/" + d.schemaName()
}

func (d Document) schemaName() string { return strings.ToLower(d.Kind) + ".v1alpha1.schema.json" }

// Schema makes the JSON Schema of a document from the source of the project in a directory.
func (d Document) Schema(root string) (*apischema.Schema, error) {
	s, err := parse(filepath.Join(root, "pkg/spec"), filepath.Join(root, d.dir))
	if err != nil {
		return nil, err
	}
	t, ok := s.types[filepath.Base(d.dir)+"."+d.root]
	if !ok {
		return nil, fmt.Errorf("%s has no type %s", d.dir, d.root)
	}
	out, err := s.object(t)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", d.dir, err)
	}
	out.Dialect, out.ID = apischema.Dialect, "https://credproxy.dev/schema/"+d.schemaName()
	out.Title = d.Kind
	return out, nil
}
