package docs

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"credproxy.dev/controller/test/fences"
)

const unit = "config/deploy/credproxy-controller.service"

// The unit of systemd runs the controller as docs/install.md installs it: the program, its user, its directories and settings.
func TestTheUnitRunsWhatIsInstalled(t *testing.T) {
	page := read(t, "docs/install.md")
	settings := settings(t)
	command := settings["Service.ExecStart"]
	if len(command) != 1 {
		t.Fatalf("it has %d commands", len(command))
	}
	program, _, _ := strings.Cut(command[0], " ")
	if !strings.Contains(page, "\nsudo install -m 0755 bin/controller "+program+"\n") {
		t.Errorf("docs/install.md does not install %s", program)
	}
	for _, c := range fences.Commands(command[0]) {
		if err := understood(c); err != nil {
			t.Error(err)
		}
	}
	for _, name := range []string{"User", "Group"} {
		if user := settings["Service."+name]; len(user) != 1 || !strings.Contains(page, "--no-create-home --shell /usr/sbin/nologin "+user[0]+"\n") {
			t.Errorf("%s is %q, which docs/install.md does not make", name, user)
		}
	}
	variables := 0
	for _, words := range settings["Service.Environment"] {
		for word := range strings.FieldsSeq(words) {
			variables++
			name, value, _ := strings.Cut(word, "=")
			flag := "--" + strings.ReplaceAll(strings.ToLower(strings.TrimPrefix(name, "CREDPROXY_")), "_", "-") + "=" + value
			if err := understood(fences.Command{Args: []string{"run", flag}}); err != nil {
				t.Errorf("%s: %v", word, err)
			}
			if strings.HasPrefix(value, "/") && !strings.Contains(page, "| `"+value+"` |") {
				t.Errorf("docs/install.md does not tell of %s, which is %s", value, name)
			}
		}
	}
	if variables < 3 {
		t.Errorf("its variables are not understood: %d", variables)
	}
}

// settings are the unit's, by section and name. Those of one name are in their order.
func settings(t *testing.T) map[string][]string {
	t.Helper()
	section, found := "", map[string][]string{}
	for i, line := range strings.Split(read(t, unit), "\n") {
		name, value, is := strings.Cut(line, "=")
		switch {
		case line == "" || strings.HasPrefix(line, "#"):
		case slices.Contains([]string{"[Unit]", "[Service]", "[Install]"}, line):
			section = strings.Trim(line, "[]")
		case is && section != "" && regexp.MustCompile(`^[A-Z][A-Za-z]+$`).MatchString(name):
			found[section+"."+name] = append(found[section+"."+name], value)
		default:
			t.Errorf("%s:%d: it is neither a setting nor a section: %s", unit, i+1, line)
		}
	}
	return found
}

// systemd itself reads the unit, where its tool for that is installed.
func TestSystemdUnderstandsTheUnit(t *testing.T) {
	if _, err := exec.LookPath("systemd-analyze"); err != nil {
		t.Logf("LEFT OUT: systemd's own look at %s, since systemd-analyze is not installed", unit)
		return
	}
	me, err := os.Executable() // in the place of the controller, which is not installed here
	if err != nil {
		t.Fatal(err)
	}
	program, _, _ := strings.Cut(settings(t)["Service.ExecStart"][0], " ")
	verify := func(text string) (string, error) {
		file := filepath.Join(t.TempDir(), filepath.Base(unit))
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		out, err := exec.CommandContext(t.Context(), "systemd-analyze", "verify", "--man=no", file).CombinedOutput()
		return string(out), err
	}
	text := strings.ReplaceAll(read(t, unit), program, me)
	if out, err := verify(text); err != nil || out != "" {
		t.Errorf("systemd-analyze verify: %v\n%s", err, out)
	}
	if out, err := verify(strings.Replace(text, "NoNewPrivileges=", "NoNewPrivilege=", 1)); err == nil && out == "" {
		t.Error("systemd-analyze verify finds no mistake where there is one")
	}
}
