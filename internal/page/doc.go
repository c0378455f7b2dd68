// Package page renders what the controller knows for people: the status page, with every environment, file and event. It is a
// function of that knowledge and the time. What it writes is complete without JavaScript; a script of its own keeps it live.
// It changes nothing, and shows nothing that the API does not.
package page
