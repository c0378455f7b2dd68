package reconcile

import "testing"

func TestEnginesThatForwardDNSOfInternalNetworks(t *testing.T) {
	tests := []struct {
		product, version string
		want             bool
	}{
		{"Docker", "19.03.15", true}, // not a semantic version, and old
		{"Docker", "20.10.24+dfsg1", true},
		{"Docker", "23.0.10", true},
		{"Docker", "23.0.11", false},
		{"Docker", "23.0.17", false},
		{"Docker", "24.0.9", true}, // its line ended without the fix
		{"Docker", "25.0.4", true},
		{"Docker", "25.0.5", false},
		{"Docker", "25.0.13", false},
		{"Docker", "26.0.0-rc2", true},
		{"Docker", "26.0.0-rc3", false},
		{"Docker", "26.0.0", false},
		{"Docker", "26.1.5", false},
		{"Docker", "v28.5.2", false},
		{"Docker", "29.3.1-ce", false},
		{"Docker", "29.0.0-rc.1", false},
		{"Docker", "", true},
		{"Docker", "dev", true},
		{"Something of Docker's", "24.0.7", true},
		{"Podman", "3.4.4", false},
		{"Podman", "", false},
	}
	for _, tt := range tests {
		if got := ForwardsInternalDNS(tt.product, tt.version); got != tt.want {
			t.Errorf("%s %q forwards: %v, want %v", tt.product, tt.version, got, tt.want)
		}
	}
}
