package version

import (
	"strings"
	"testing"
)

func TestString(t *testing.T) {
	if v := String(); !strings.HasPrefix(v, number) {
		t.Errorf("version %q does not begin with %q", v, number)
	}
}
