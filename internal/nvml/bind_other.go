//go:build !linux || nogpu

package nvml

// bind is never reached, since no library opens.
func bind(func(name string) uintptr) functions { return functions{} }
