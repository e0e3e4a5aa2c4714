package record

// Pieces gives back the content of every event in ChunkAt, in order. It is nil
// where the lengths do not add up to the text, so a caller that cannot trust
// them sees nothing rather than something wrong.
func (o *Observation) Pieces() []string {
	pieces := make([]string, 0, len(o.ChunkLens))
	rest := o.Text
	for _, n := range o.ChunkLens {
		if n < 0 || n > len(rest) {
			return nil
		}
		pieces = append(pieces, rest[:n])
		rest = rest[n:]
	}
	if rest != "" {
		return nil
	}
	return pieces
}

// FirstDivergence returns the index of the first token in which two answers to
// the same request differ, counted over the non-empty pieces of their streams,
// and what each said there ("" where one had already ended). ok is false if they
// do not differ or their pieces are not known.
func FirstDivergence(a, b *Observation) (token int, saidA, saidB string, ok bool) {
	if a.Text == b.Text {
		return 0, "", "", false
	}
	pa, pb := nonEmpty(a.Pieces()), nonEmpty(b.Pieces())
	if pa == nil || pb == nil {
		return 0, "", "", false
	}
	at := func(p []string, i int) string {
		if i < len(p) {
			return p[i]
		}
		return ""
	}
	for i := range max(len(pa), len(pb)) {
		if x, y := at(pa, i), at(pb, i); x != y {
			return i, x, y, true
		}
	}
	return 0, "", "", false
}

func nonEmpty(pieces []string) []string {
	var out []string
	for _, p := range pieces {
		if p != "" {
			out = append(out, p)
		}
	}
	return out
}
