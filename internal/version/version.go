// Package version says which siglab this is.
package version

import (
	"runtime/debug"
)

// number is the released version that this tree leads to.
const number = "0.1.0-dev"

// String is the version, with the commit where the build recorded one.
func String() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return number
	}
	commit, dirty := "", ""
	for _, s := range info.Settings {
		switch {
		case s.Key == "vcs.revision" && len(s.Value) >= 12:
			commit = "+" + s.Value[:12]
		case s.Key == "vcs.modified" && s.Value == "true":
			dirty = ".dirty"
		}
	}
	return number + commit + dirty
}
