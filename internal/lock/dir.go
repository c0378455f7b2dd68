package lock

import (
	"errors"
	"path/filepath"
)

// DefaultDir is where locks and revocations are kept when nothing else is asked for: /var/lib/credproxy for root, since what
// is revoked stays so over a boot, otherwise $XDG_STATE_HOME/credproxy, or ~/.local/state/credproxy.
func DefaultDir(uid int, getenv func(string) string) (string, error) {
	if uid == 0 {
		return "/var/lib/credproxy", nil
	}
	if state := getenv("XDG_STATE_HOME"); filepath.IsAbs(state) {
		return filepath.Join(state, "credproxy"), nil
	}
	if home := getenv("HOME"); filepath.IsAbs(home) {
		return filepath.Join(home, ".local", "state", "credproxy"), nil
	}
	return "", errors.New("neither XDG_STATE_HOME nor HOME is set: name a directory for them with --state-dir")
}
