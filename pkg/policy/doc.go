// Package policy says which specs may use which tokens, and where: the operator's TokenPolicy, read strictly and judged
// purely. What no rule permits is refused. Rules choose specs by the folder of their file, which is not for the author of
// a file to say; what authors choose, names and labels, only narrows.
package policy
