//go:build !linux || nogpu

package cudart

const hasLoader = false

func dlopen(string) (uintptr, error) { return 0, errNoLoader }

func dlsym(uintptr, string) uintptr { return 0 }

// The calls are never reached, since no library opens.

func (s symbol) call(...uintptr) status { return -1 }

func (s symbol) call2(_, _ uintptr) status { return -1 }

func (s symbol) call11(_, _, _, _, _, _, _, _, _, _, _ uintptr) status { return -1 }
