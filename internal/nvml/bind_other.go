//go:build !linux || nogpu

package nvml

import "siglab/internal/cudart"

// bind is never reached, since no library opens.
func bind(cudart.Library) functions { return functions{} }
