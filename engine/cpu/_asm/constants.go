package main

import (
	"math"

	"github.com/mmcloughlin/avo/attr"
	"github.com/mmcloughlin/avo/build"
	"github.com/mmcloughlin/avo/operand"
)

// constants are values in memory, each 16 times, so that instructions of either width
// can take them from there: there are more of them than registers.
type constants struct {
	base   operand.Mem
	places map[uint32]int
	order  []uint32
}

func newConstants() *constants {
	return &constants{base: operand.NewDataAddr(operand.NewStaticSymbol("constants"), 0), places: map[uint32]int{}}
}

// f32 is where a value is.
func (c *constants) f32(value float64) operand.Mem { return c.bits(math.Float32bits(float32(value))) }

// bits is where 32 bits are.
func (c *constants) bits(value uint32) operand.Mem {
	place, ok := c.places[value]
	if !ok {
		place = 64 * len(c.order)
		c.places[value] = place
		c.order = append(c.order, value)
	}
	return c.base.Offset(place)
}

// write puts all that were asked for into the assembly.
func (c *constants) write() {
	build.GLOBL("constants", attr.RODATA|attr.NOPTR)
	for i, value := range c.order {
		for lane := range 8 {
			build.DATA(64*i+8*lane, operand.U64(uint64(value)<<32|uint64(value)))
		}
	}
}
