// Package page has the tests of the status page in a real browser, Chromium without a window. They are built with the tag page.
package page
