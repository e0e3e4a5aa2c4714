package compare

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"

	"siglab/bench/record"
)

// checkTrigger: the code under test ran, and the other arms' did not. Every image
// that is answered has its positions resampled, by the arm's own mode.
func checkTrigger(s *study) finding {
	if len(s.pairs) == 0 {
		return unchecked(noPairs)
	}
	var all, problems []string
	for arm, v := range s.arms {
		if v.Mode == "" {
			return unchecked("variant %q%s declares no mode, so what it should run is not known", v.Name, ofKind(v))
		}
		answered := 0
		byMode := map[string]int64{}
		for _, b := range s.counted(arm) {
			if !b.Server.Scraped {
				return unchecked("block %d of variant %q: %s", b.ID, v.Name, notScraped(b))
			}
			answered += b.answered()
			for key, n := range b.Server.Resamples {
				mode, _, _, split := record.ParseResampleKey(key)
				if !split {
					mode = key
				}
				byMode[mode] += n
			}
		}
		text := fmt.Sprintf("variant %q: %s in %d answered requests", v.Name, modeCounts(byMode, v.Mode), answered)
		all = append(all, text)
		others := len(byMode)
		if _, own := byMode[v.Mode]; own {
			others--
		}
		if byMode[v.Mode] < int64(answered) || byMode[v.Mode] == 0 || others > 0 {
			problems = append(problems, fmt.Sprintf("%s, where only %s is expected, at least once each", text, v.Mode))
		}
	}
	return outcome(problems, strings.Join(all, "; "))
}

// modeCounts writes how often each mode ran, the expected one even if it did not.
func modeCounts(byMode map[string]int64, expected string) string {
	counts := maps.Clone(byMode)
	counts[expected] += 0
	var out []string
	for _, mode := range slices.Sorted(maps.Keys(counts)) {
		out = append(out, fmt.Sprintf("%d resamplings by %s", counts[mode], mode))
	}
	return strings.Join(out, " and ")
}

func notScraped(b *block) string {
	if b.Server.Detail != "" {
		return "its metrics were not read: " + b.Server.Detail
	}
	return "its metrics were not read"
}

// checkCode: every arm's server said which code it is, and it is the same. What
// differs between the arms is the mode, not the program.
func checkCode(s *study) finding {
	servers := s.run.Manifest.Environment.Servers
	for i, v := range s.arms {
		if v.Kind == record.KindURL || v.Kind == record.KindCommand {
			if i >= len(servers) || servers[i] == "" {
				return unchecked("variant %q%s said no version", v.Name, ofKind(v))
			}
			return unchecked("variant %q%s said version %q, which does not tell the code that it loaded", v.Name, ofKind(v), servers[i])
		}
		if i >= len(servers) || servers[i] == "" {
			return unchecked("the server of variant %q did not say its version", v.Name)
		}
	}
	var problems []string
	for i, v := range s.arms {
		if servers[i] != servers[0] {
			problems = append(problems, fmt.Sprintf("variant %q runs %q, %q runs %q", s.arms[0].Name, servers[0], v.Name, servers[i]))
		}
	}
	return outcome(problems, fmt.Sprintf("every variant runs %q", servers[0]))
}

// ofKind tells a server that is not this program's own.
func ofKind(v record.Variant) string {
	switch v.Kind {
	case record.KindURL:
		return " (a server at " + v.URL + ")"
	case record.KindCommand:
		return " (a server by command)"
	}
	return ""
}

// Bounds of the gate on what client and server say of the same TTFT.
const (
	fewestForGap  = 30
	mostGapApart  = 0.5 // ms
	mostGapEffect = 0.1 // of the measured effect
)

// checkServerGap: what lies between the server's clock and the client's is the same
// in all arms, so the client's difference is the server's. An injected delay lies
// after the server's arrival stamp, so both contain it.
func checkServerGap(s *study) finding {
	if reason, can := s.comparable(); !can {
		return unchecked("%s", reason)
	}
	client, server := make([]float64, len(s.arms)), make([]float64, len(s.arms))
	for arm, v := range s.arms {
		times := clientTTFTs(s.observations(arm))
		if len(times) < fewestForGap {
			return unchecked("variant %q: %d answered requests, too few for a mean (%d at least)", v.Name, len(times), fewestForGap)
		}
		client[arm] = mean(times)
		var sum, count float64
		for _, b := range s.counted(arm) {
			if !b.Server.Scraped {
				return unchecked("block %d of variant %q: %s", b.ID, v.Name, notScraped(b))
			}
			sum, count = sum+b.Server.TTFTSum, count+b.Server.TTFTCount
		}
		if count <= 0 {
			return unchecked("variant %q: its server counts no TTFT", v.Name)
		}
		server[arm] = 1000 * sum / count
	}
	var all, problems []string
	base := client[0] - server[0]
	for _, c := range s.candidates() {
		gap := client[c] - server[c]
		bound := max(mostGapApart, mostGapEffect*math.Abs(client[c]-client[0]))
		text := fmt.Sprintf("mean TTFT at the client less that at the server: %.3f ms (%s) and %.3f ms (%s), at most %.3f ms apart", base, s.arms[0].Name, gap, s.arms[c].Name, bound)
		all = append(all, text)
		if !(math.Abs(gap-base) <= bound) {
			problems = append(problems, text)
		}
	}
	return outcome(problems, strings.Join(all, "; "))
}

// clientTTFTs are the times from the send to the first token, in ms, of answered
// requests: the part of the TTFT that a server can see.
func clientTTFTs(observations []*record.Observation) []float64 {
	var out []float64
	for _, o := range observations {
		if o.OK() {
			out = append(out, milliseconds(o.FirstToken-o.Sent))
		}
	}
	return out
}
