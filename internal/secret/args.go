package secret

import (
	"regexp"
	"strings"
)

// inText is NAME=VALUE, or --option VALUE, of a secret's name within a longer text.
var inText = regexp.MustCompile(`(?i)((?:^|[\s'"=])(?:--?)?[a-z0-9_-]*(?:key|token|secret|password|passwd|credentials?|auth))(=|\s+)('[^']*'|"[^"]*"|[^\s'"-][^\s'"]*)`)

// HideIn is a command line without the values of headers and of what is named like a
// secret.
func HideIn(args []string) []string {
	out := make([]string, len(args))
	var flag string // whose values follow
	for i, arg := range args {
		out[i] = inText.ReplaceAllString(arg, "$1$2"+Hidden)
		name, value, assigned := strings.Cut(arg, "=")
		switch {
		case strings.HasPrefix(arg, "-"):
			flag = ""
			if !assigned {
				flag = arg
			} else if name == "--header" {
				out[i] = name + "=" + withoutValue(value)
			}
		case flag == "--header":
			out[i] = withoutValue(arg)
		case flag != "" && Named(flag):
			out[i] = Hidden
		}
	}
	return out
}

// withoutValue is NAME=VALUE without its value.
func withoutValue(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	return name + "=" + Hidden
}
