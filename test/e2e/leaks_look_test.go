//go:build e2e

package e2e

import (
	"archive/tar"
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// maxSalted is the largest text whose words are tried as salts. Programs are larger.
const maxSalted = 1 << 20

// look searches one text, and takes what could be salts and salted digests from it.
func (h *hunt) look(at spot, text []byte) {
	h.search(at, text)
	if len(text) <= maxSalted || at.kind == engineLog || at.kind == controllersLog {
		h.salts.Collect(fmt.Sprintf("%s of %s %s", at.kind, at.of, at.detail), text)
	}
}

// search searches one text.
func (h *hunt) search(at spot, text []byte) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.searched[at.kind] += len(text)
	for _, found := range h.index.Search(text) {
		if found.Secret == h.plant.Name {
			h.planted[at.kind] = true
			continue
		}
		s := h.tokens[found.Secret]
		where, ok := place(s, at)
		h.places[where] = true
		if !ok {
			h.leaked(fmt.Sprintf("when %s, %s (%s, %s of %s, in force: %v) is as %s in %s of %q: %s",
				h.stage, s.Name, s.source, s.delivery, s.spec, s.inForce, found.Writing, at.kind, at.of, at.detail))
		}
	}
}

// lookAround searches everything that there is now, but for what a process did in between.
func (h *hunt) lookAround(stage string) {
	h.t.Helper()
	h.mu.Lock()
	h.stage = stage
	h.mu.Unlock()
	began := time.Now()
	defer func() { h.t.Logf("when %s, the search took %s", stage, time.Since(began).Round(time.Millisecond)) }()
	h.lookAtEngine()
	h.lookIntoContainers()
	h.lookAtProcesses()
	h.lookAtController()
	h.lookAtAgent()
	h.lookAtFiles()
}

// lookAtEngine searches what the engine tells of everything that it has.
func (h *hunt) lookAtEngine() {
	h.t.Helper()
	var volumes struct{ Volumes []map[string]any }
	h.told("/volumes", &volumes)
	for _, v := range volumes.Volumes {
		h.lookAtObject(ofVolumes, "", v)
	}
	h.eachObject("/containers/json?all=1", "/containers/%s/json", func(_ string, c map[string]any) {
		h.lookAtObject(ofContainers, h.met(c), c)
	})
	h.eachObject("/networks", "/networks/%s", func(_ string, n map[string]any) { h.lookAtObject(ofNetworks, "", n) })
	h.eachObject("/images/json?all=1", "/images/%s/json", func(id string, i map[string]any) {
		h.lookAtObject(ofImages, "", i)
		h.look(spot{histories, "", id}, h.asked("/images/"+id+"/history"))
	})
	h.look(spot{kind: engineEvents}, h.asked(h.events("")))
	h.lookAtLog(engineLog, h.outpost.engine.log)
}

// eachObject visits what the engine lists at a path and tells more of at another.
func (h *hunt) eachObject(list, path string, visit func(id string, object map[string]any)) {
	h.t.Helper()
	var listed []struct {
		ID string `json:"Id"`
	}
	h.told(list, &listed)
	for _, one := range listed {
		object := map[string]any{}
		if h.told(fmt.Sprintf(path, one.ID), &object) { // it may have gone meanwhile
			visit(one.ID, object)
		}
	}
}

func (h *hunt) lookAtObject(k kind, of string, object map[string]any) {
	leaves("", object, func(path, text string) { h.look(spot{k, of, path}, []byte(text)) })
}

// asked is what the engine answers; nothing when it is about something that has gone meanwhile.
func (h *hunt) asked(path string) []byte {
	answer, err := h.outpost.engine.get(path)
	if err != nil {
		return nil
	}
	defer answer.Close()
	data, err := io.ReadAll(answer)
	if err != nil {
		h.t.Error(err)
	}
	return data
}

// told reads what the engine answers.
func (h *hunt) told(path string, into any) bool {
	return json.Unmarshal(h.asked(path), into) == nil
}

// events is the path of all events until now, with more of a query.
func (h *hunt) events(more string) string {
	now := syscall.Timeval{}
	_ = syscall.Gettimeofday(&now) // it never fails for this clock
	return fmt.Sprintf("/events?since=0&until=%d%s", now.Sec+1, more)
}

// lookAtLog searches what is new in a log, from a line that was there before.
func (h *hunt) lookAtLog(k kind, log *logBuffer) {
	text := log.String()
	known := strings.LastIndexByte(text[:h.logged[log]], '\n') + 1
	h.look(spot{kind: k}, []byte(text[known:]))
	h.logged[log] = len(text)
}

// met notes whose container it is that was inspected, and whose its process.
func (h *hunt) met(inspected map[string]any) (of string) {
	data, _ := json.Marshal(inspected) // it was read from JSON
	var c container
	_ = json.Unmarshal(data, &c) // what is missing stays empty
	of = strings.TrimPrefix(c.Name, "/")
	if name := c.Config.Labels["credproxy.dev/name"]; name != "" {
		of = name
		h.sidecars[c.ID] = true
	}
	if c.Config.Labels["credproxy.dev/try"] != "" {
		of = theTrial
	}
	if of == h.holder {
		of = theHolder
	}
	h.containers[c.ID] = of
	if c.State.Pid > 0 {
		h.processes[c.State.Pid] = of
	}
	return of
}

// whose tells whose container an ID is, also if it was made since the engine was asked and has gone again.
func (h *hunt) whose(id string) string {
	if of, ok := h.containers[id]; ok {
		return of
	}
	var first struct {
		Actor struct{ Attributes map[string]string }
	}
	_ = json.NewDecoder(bytes.NewReader(h.asked(h.events("&filters=" + url.QueryEscape(`{"container":["`+id+`"]}`))))).Decode(&first)
	h.containers[id] = first.Actor.Attributes["credproxy.dev/name"]
	return h.containers[id]
}

// leaves calls visit with each text within a value read from JSON, names of fields too, and its path.
func leaves(path string, value any, visit func(path, text string)) {
	switch value := value.(type) {
	case map[string]any:
		for name, field := range value {
			visit(path+"/name", name)
			leaves(path+"/"+name, field, visit)
		}
	case []any:
		for i, element := range value {
			leaves(fmt.Sprintf("%s/%d", path, i), element, visit)
		}
	case string:
		visit(path, value)
	}
}

// lookIntoContainers searches the logs and files of all containers, as whoever may use the engine gets them. A container's root
// is read-only, or nobody's who knows a token: once is enough for it, and then there is the sidecar's volume.
func (h *hunt) lookIntoContainers() {
	h.t.Helper()
	for id, of := range h.containers {
		path := "/containers/" + id
		h.look(spot{containerLogs, of, ""}, h.asked(path+"/logs?stdout=1&stderr=1"))
		switch {
		case !h.opened[id]:
			h.opened[id] = true
			h.lookIntoArchive(spot{archives, of, ""}, path+"/archive?path=/")
			h.lookIntoArchive(spot{exports, of, ""}, path+"/export")
		case h.sidecars[id]:
			h.lookIntoArchive(spot{archives, of, ""}, path+"/archive?path=/run/cred-proxy")
		}
	}
}

// lookIntoArchive searches a tar archive that the engine gives.
func (h *hunt) lookIntoArchive(at spot, path string) {
	h.t.Helper()
	answer, err := h.outpost.engine.get(path)
	if err != nil {
		return // the container has gone
	}
	defer answer.Close()
	archive := tar.NewReader(answer)
	for {
		header, err := archive.Next()
		if err != nil {
			return // the end, or the container has gone
		}
		at.detail = header.Name
		content, err := io.ReadAll(archive)
		if err == nil {
			h.look(at, fmt.Appendf(content, "\n%s %s %v", header.Name, header.Linkname, header.PAXRecords))
		}
	}
}

// lookAtProcesses searches what all processes of the machine show of themselves.
func (h *hunt) lookAtProcesses() {
	h.lookAtCommandLines(h.look)
	for _, pid := range processIDs() {
		environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
		if err != nil {
			continue // it has ended
		}
		of := h.processes[pid]
		if h.c != nil && pid == h.c.cmd.Process.Pid {
			of = theController
		}
		h.look(spot{environments, of, ""}, environ)
	}
}

// lookAtCommandLines searches those of all processes of the machine.
func (h *hunt) lookAtCommandLines(look func(spot, []byte)) {
	for _, pid := range processIDs() {
		if line, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid)); err == nil {
			program, _, _ := strings.Cut(string(line), "\x00")
			look(spot{commandLines, filepath.Base(program), ""}, line)
		}
	}
}

// processIDs are those of all processes of the machine.
func processIDs() (ids []int) {
	entries, _ := os.ReadDir("/proc") // it is always there
	for _, entry := range entries {
		if pid, err := strconv.Atoi(entry.Name()); err == nil {
			ids = append(ids, pid)
		}
	}
	return ids
}

// lookAtController searches what the controller tells.
func (h *hunt) lookAtController() {
	for _, c := range h.controllers {
		h.lookAtLog(controllersLog, c.log)
	}
	const api = "/api/v1alpha1/"
	paths := []string{"/", "/files", "/events", "/metrics", "/healthz", "/readyz", api + "credproxies", api + "events", api + "sources", api + "credproxies/nobody", "/nowhere"}
	for _, name := range h.names {
		paths = append(paths, api+"credproxies/"+name, "/environments/"+name)
	}
	for _, path := range paths {
		body, _, err := h.c.fetch(path)
		if err != nil {
			continue // it does not run at this stage
		}
		h.look(spot{kind: pages, detail: path}, []byte(body))
	}
}

// lookAtAgent searches what an agent sees on its network: what each sidecar answers on each route, and what else it listens on.
func (h *hunt) lookAtAgent() {
	h.t.Helper()
	ask := func(agent string, args ...string) {
		out, err := h.outpost.engine.docker(append([]string{"exec", agent, "/toolbox"}, args...)...)
		h.look(spot{agentsView, agent, args[0]}, fmt.Appendf([]byte(out), "%v", err))
	}
	ask(h.agent, "env")
	if len(h.names) == 0 {
		return
	}
	var urls, ports []string
	for _, name := range h.names {
		for _, path := range []string{"/0/x", "/1/" + h.plant.Value, "/2/x", "/3/x", "/nowhere", "/0/..%2f..%2fx"} {
			urls = append(urls, "http://"+name+":9099"+path)
		}
		for _, port := range []string{"80", "443", "2375", "6060", "8080", "8099", "9098", "9099", "9100"} {
			ports = append(ports, name+":"+port)
		}
	}
	ask(h.agent, append([]string{"get", "-i", "-t", "3s", "-H", "Cred-Proxy-Trace: true"}, urls...)...)
	ask(h.holder, append([]string{"get", "-i", "-t", "3s", "-E", "Cred-Proxy-Key: CALLER_KEY"}, urls...)...)
	ask(h.agent, append([]string{"probe"}, ports...)...)
}

// lookAtFiles searches what engine and controller have on disks and in /run.
func (h *hunt) lookAtFiles() {
	h.t.Helper()
	engine := h.outpost.engine
	for name, dir := range map[string]string{"data": engine.path("data"), "exec": engine.path("exec")} {
		h.lookIntoDirectory(engineFiles, name, dir)
	}
	if _, err := os.Stat(engine.path("exec/containerd")); err != nil { // the machine's containerd works for it
		h.lookIntoDirectory(engineFiles, "containerd", "/var/lib/containerd/io.containerd.metadata.v1.bolt")
		h.lookIntoDirectory(engineFiles, "containerd", "/run/containerd/io.containerd.runtime.v2.task/"+filepath.Base(engine.dir))
	}
	for name, dir := range map[string]string{"specs": h.specs, "tokens": h.world.tokens, "state": h.state, "shop": h.shop.dir, "temp": h.temp} {
		h.lookIntoDirectory(controllersFiles, name, dir)
	}
	cores, err := filepath.Glob("*core*")
	if err != nil || len(cores) > 0 {
		h.t.Errorf("cores were dumped: %q %v", cores, err)
	}
}

// containerID is one in the path of a file that the engine, or the runtime beneath it, keeps of a container.
var containerID = regexp.MustCompile(`/(?:containers|io\.containerd\.runtime\.v2\.task/[^/]+)/([0-9a-f]{64})/`)

func (h *hunt) lookIntoDirectory(k kind, name, dir string) {
	h.t.Helper()
	err := filepath.WalkDir(dir, func(path string, entry fs.DirEntry, err error) error {
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return nil // it goes while it is looked at
		case err != nil:
			return err
		case entry.IsDir() && (entry.Name() == "merged" || entry.Name() == "netns"):
			return fs.SkipDir // layers that are put together, and handles of networks
		case !entry.Type().IsRegular():
			return nil
		}
		data, err := os.ReadFile(path)
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		at := spot{kind: k, detail: name + strings.TrimPrefix(path, dir)}
		if id := containerID.FindStringSubmatch(path); id != nil {
			at.of = h.whose(id[1])
		}
		h.look(at, bytes.Join([][]byte{[]byte(at.detail), data}, []byte{'\n'}))
		return nil
	})
	if err != nil {
		h.t.Error(err)
	}
}
