package page_test

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"credproxy.dev/controller/internal/page"
	"credproxy.dev/controller/internal/pagetest"
)

// ask asks the pages of what is known for one of them.
func ask(t testing.TB, k *pagetest.Known, url string) *httptest.ResponseRecorder {
	t.Helper()
	handler, err := page.Handler(page.Options{
		Controller: k, Sources: k.Sources, Ready: k.Ready, Bell: &k.Bell, Instance: "default", Version: "v1.2.3",
	})
	if err != nil {
		t.Fatal(err)
	}
	return serve(handler, url)
}

func serve(handler http.Handler, url string) *httptest.ResponseRecorder {
	w := httptest.NewRecorder()
	handler.ServeHTTP(w, httptest.NewRequest(http.MethodGet, url, nil))
	return w
}
