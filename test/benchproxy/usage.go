package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// family lists a process and its children.
func family(pid int) ([]int, error) {
	all := []int{pid}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil {
		return nil, err
	}
	for _, file := range stats {
		stat, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		// The second field is the program's name in parentheses; the parent is field 4 (proc(5)).
		_, rest, _ := strings.Cut(string(stat), ") ")
		fields := strings.Fields(rest)
		if len(fields) > 1 && fields[1] == strconv.Itoa(pid) {
			child, err := strconv.Atoi(filepath.Base(filepath.Dir(file)))
			if err != nil {
				return nil, err
			}
			all = append(all, child)
		}
	}
	return all, nil
}

// cpuMicros is the CPU time, in user and kernel mode, that a process and its children have used so far, in microseconds. Ticks
// would be too coarse.
func cpuMicros(pid int) (float64, error) {
	pids, err := family(pid)
	if err != nil {
		return 0, err
	}
	var total float64
	for _, pid := range pids {
		tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
		if err != nil {
			return 0, err
		}
		for _, file := range tasks {
			text, err := os.ReadFile(file)
			if err != nil {
				return 0, err
			}
			var nanos float64
			if _, err := fmt.Sscan(string(text), &nanos); err != nil {
				return 0, fmt.Errorf("%s is %q", file, text)
			}
			total += nanos / 1000
		}
	}
	return total, nil
}

// residentKB is the resident memory of a process and its children, in units of 1000 bytes. What children share is counted with each.
func residentKB(pid int) (float64, error) {
	pids, err := family(pid)
	if err != nil {
		return 0, err
	}
	var total float64
	for _, pid := range pids {
		status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
		if err != nil {
			return 0, err
		}
		found := false
		for line := range strings.Lines(string(status)) {
			var kB float64
			if n, _ := fmt.Sscanf(line, "VmRSS: %f kB", &kB); n == 1 {
				total, found = total+kB*1024/1000, true
			}
		}
		if !found {
			return 0, fmt.Errorf("process %d has no VmRSS", pid)
		}
	}
	return total, nil
}
