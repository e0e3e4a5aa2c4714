package main

import (
	"regexp"
	"strings"
)

// hidden stands for a secret wherever a command line is recorded.
const hidden = "[hidden]"

// secretName matches names of environment variables and options whose values are
// nobody's business: HF_TOKEN, --api-key.
var secretName = regexp.MustCompile(`(?i)(key|token|secret|password|passwd|credentials?|auth)$`)

// secretInText is NAME=VALUE, or --option VALUE, of such a name within a longer text.
var secretInText = regexp.MustCompile(`(?i)((?:^|[\s'"=])(?:--?)?[a-z0-9_-]*(?:key|token|secret|password|passwd|credentials?|auth))(=|\s+)('[^']*'|"[^"]*"|[^\s'"-][^\s'"]*)`)

// withoutSecrets is a command line without the values of headers and of what is named
// like a secret.
func withoutSecrets(args []string) []string {
	out := make([]string, len(args))
	var flag string // whose values follow
	for i, arg := range args {
		out[i] = secretInText.ReplaceAllString(arg, "$1$2"+hidden)
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
		case flag != "" && secretName.MatchString(flag):
			out[i] = hidden
		}
	}
	return out
}

// withoutValue is NAME=VALUE without its value.
func withoutValue(pair string) string {
	name, _, _ := strings.Cut(pair, "=")
	return name + "=" + hidden
}
