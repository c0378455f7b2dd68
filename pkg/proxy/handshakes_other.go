//go:build !linux

package proxy

import "net"

func stopHandshakes(net.Listener) error { return errNotLinux }

func hear(net.Conn) error { return errNotLinux }

func queued(net.Listener) (bool, error) { return false, errNotLinux }

func turnedAway(net.Listener) (bool, error) { return false, errNotLinux }
