// Package reconcile makes the sidecars on an engine match the declared specs. Plan decides, purely, from what is
// desired and what was observed; the loop executes its steps through a Driver and reports each as a metric, an
// event and a condition. It knows nothing of Docker.
package reconcile
