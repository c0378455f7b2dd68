// Package policyfile keeps the operator's policy in force: it reads the file of --policy, refuses one that others could
// write, notices when it changes, and goes on with the last good version when it turns bad.
package policyfile
