package spec

import (
	"fmt"

	"k8s.io/apimachinery/pkg/util/validation/field"
)

// Header begins every document of the API group: what a file writes as apiVersion and kind.
type Header struct{ APIVersion, Kind string }

// DecodeConfig reads a file of the operator's, which holds one document of a kind, by the rules of spec files: JSON when
// its name ends in .json, else YAML; unknown and repeated fields are refused, and so is all on which readers of YAML
// disagree. into points to a struct of which the json tags name all that the document may hold, apiVersion and kind
// among it; it may consist of structs, pointers to them, slices, maps of strings, strings, booleans and integers. Once the
// types are right, validate returns what is wrong besides, with header's fields.
//
// What comes back is everything wrong with the file, in order of lines; what was read is to be used only if that is nothing.
func DecodeConfig(file string, data []byte, kind string, into any, validate func() (Header, field.ErrorList)) []Problem {
	problems := configProblems(file, data, kind, into, validate)
	for i := range problems {
		problems[i].File = ShownPath(file)
	}
	byLine(problems)
	return problems
}

func configProblems(file string, data []byte, kind string, into any, validate func() (Header, field.ErrorList)) []Problem {
	var found []document
	for _, doc := range documents(file, data) {
		if doc.broken != nil {
			return []Problem{*doc.broken}
		}
		if !isNull(doc.root) {
			found = append(found, doc)
		}
	}
	switch len(found) {
	case 0:
		return []Problem{{Message: fmt.Sprintf("holds nothing; write one document, with apiVersion: %s and kind: %s", APIVersion, kind)}}
	case 1:
		return readObject(found[0].root, kind, maxProblems, into, func() field.ErrorList {
			header, errs := validate()
			return append(validateKind(header.APIVersion, header.Kind, kind), errs...)
		}).problems
	}
	return []Problem{problemAt("", found[1].root.Line, "only one document is read from this file; remove the others")}
}
