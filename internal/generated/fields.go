package generated

import (
	"credproxy.dev/controller/internal/apigen"
)

// fieldFiles are the JSON Schemas of what people write, and the pages with a table of its fields.
func fieldFiles(root string) ([]File, error) {
	var files []File
	for _, d := range apigen.Documents() {
		schema, err := d.Schema(root)
		if err != nil {
			return nil, err
		}
		text, err := schema.Format()
		if err != nil {
			return nil, err
		}
		page, err := fill(root, d.Page, map[string]string{"fields, " + d.Kind: apigen.Table(schema, d.Page)})
		if err != nil {
			return nil, err
		}
		files = append(files, File{d.SchemaFile(), text}, page)
	}
	return files, nil
}
