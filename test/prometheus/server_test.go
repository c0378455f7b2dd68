//go:build prometheus

package prometheus

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
)

// server is a real Prometheus.
type server struct{ url string }

// startServer runs one until the test ends, with the configuration of this repository, on the target, and in a hurry.
func startServer(t *testing.T, target string) server {
	t.Helper()
	dir := t.TempDir()
	config := filepath.Join(dir, "prometheus.yml")
	write(t, config, hurried(t, target), 0o600)
	ctx, stop := context.WithCancel(t.Context())
	cmd := exec.CommandContext(ctx, "prometheus", "--config.file="+config, "--storage.tsdb.path="+filepath.Join(dir, "data"),
		"--web.listen-address=127.0.0.1:0")
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 20 * time.Second
	log, err := cmd.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	said := &saying{address: make(chan string, 1)}
	var reading sync.WaitGroup
	reading.Go(func() { said.read(log) })
	t.Cleanup(func() {
		stop()
		reading.Wait()
		if err := cmd.Wait(); err != nil && !errors.Is(err, context.Canceled) {
			t.Errorf("prometheus: %v\n%s", err, said.text)
		}
	})
	address, ok := <-said.address
	if !ok {
		t.Fatalf("prometheus did not start:\n%s", said.text)
	}
	return server{"http://" + address}
}

// hurried is the configuration of this repository, with its own rules, but for the target and the pauses.
func hurried(t *testing.T, target string) string {
	t.Helper()
	var config map[string]any
	decode(t, "config/prometheus/prometheus.yml", &config)
	config["global"] = map[string]string{"scrape_interval": "2s", "scrape_timeout": "2s", "evaluation_interval": "1s"}
	var files []string
	for _, path := range config["rule_files"].([]any) {
		absolute, err := filepath.Abs(filepath.Join(root, "config/prometheus", path.(string)))
		if err != nil {
			t.Fatal(err)
		}
		files = append(files, absolute)
	}
	config["rule_files"] = files
	job := config["scrape_configs"].([]any)[0].(map[string]any)
	job["static_configs"].([]any)[0].(map[string]any)["targets"] = []string{target}
	text, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// saying is what a Prometheus logs, and the address that it says it listens on.
type saying struct {
	address chan string
	text    string
}

// read takes in the log until it ends. The address is closed when none was said.
func (s *saying) read(log io.Reader) {
	listening := regexp.MustCompile(`Listening on"? address=([\d.:]+)`)
	defer close(s.address)
	for lines := bufio.NewScanner(log); lines.Scan(); {
		s.text += lines.Text() + "\n"
		if m := listening.FindStringSubmatch(lines.Text()); m != nil {
			s.address <- m[1]
		}
	}
}

// ask has an expression evaluated at a time, and returns how many series have a number. NaN is none.
func (s server) ask(ctx context.Context, expr string, at time.Time) (series int, err error) {
	asked := s.url + "/api/v1/query?" + url.Values{
		"query": {expr}, "time": {strconv.FormatFloat(float64(at.UnixMilli())/1000, 'f', 3, 64)},
	}.Encode()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, asked, nil)
	if err != nil {
		return 0, err
	}
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return 0, err
	}
	defer response.Body.Close()
	if response.StatusCode == http.StatusServiceUnavailable { // it has not read its storage yet
		return 0, nil
	}
	var answer struct {
		Status, Error string
		Data          struct {
			Result []struct{ Value [2]any }
		}
	}
	if err := json.NewDecoder(response.Body).Decode(&answer); err != nil {
		return 0, err
	}
	if answer.Status != "success" {
		return 0, fmt.Errorf("%s: %s", expr, answer.Error)
	}
	for _, one := range answer.Data.Result {
		text, _ := one.Value[1].(string)
		if number, err := strconv.ParseFloat(text, 64); err == nil && !math.IsNaN(number) {
			series++
		}
	}
	return series, nil
}
