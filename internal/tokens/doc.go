// Package tokens finds the values of token references, and only of those that the operator permits: a spec file may
// come from anyone, so a reference opens nothing by itself. Refusals do not tell whether the thing exists, and no
// error holds a value.
package tokens
