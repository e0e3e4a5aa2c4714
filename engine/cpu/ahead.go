package cpu

// reader hands memory that is needed soon to tiles, which ask for it.
type reader struct {
	memory     []byte
	each, step int // bytes of a tile; bytes between what it asks for
}

// readPace is how many inputs a tile takes for one line that it asks for.
const readPace = 4

// newReader shares memory among tiles that take so many inputs.
func newReader(memory []byte, tiles, inputs int) reader {
	times := max(1, inputs/readPace)
	step := min((len(memory)+tiles*times-1)/(tiles*times), line)
	return reader{memory, (len(memory) + tiles - 1) / tiles, step}
}

// next is what a tile of so many inputs asks for, if there is anything. What is too
// much for the tile is asked for at once.
func (r *reader) next(inputs int) (ahead *byte, step int) {
	if len(r.memory) == 0 {
		return nil, 0
	}
	from := r.memory
	r.memory = r.memory[min(r.each, len(r.memory)):]
	if rest := len(from) - len(r.memory) - inputs/readPace*line; rest > 0 {
		touch(&from[inputs/readPace*line], (rest+line-1)/line)
	}
	return &from[0], r.step
}
