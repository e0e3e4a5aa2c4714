package imageprep

import (
	"fmt"
	"math"
)

// Filter is one of Pillow's resampling filters, under Pillow's number: the
// "resample" of a processor's configuration.
type Filter int

// The filters of Pillow 13.
const (
	Nearest  Filter = 0
	Lanczos  Filter = 1 // sinc, truncated at 3
	Bilinear Filter = 2
	Bicubic  Filter = 3 // Keys' kernel with a = −0.5
	Box      Filter = 4
	Hamming  Filter = 5
	MKS2013  Filter = 6 // "magic kernel sharp", johncostella.com/magic
	MKS2021  Filter = 7
)

var filterNames = [...]string{"nearest", "lanczos", "bilinear", "bicubic", "box", "hamming", "mks2013", "mks2021"}

// String is the filter's name in lower case.
func (f Filter) String() string {
	if !f.valid() {
		return fmt.Sprintf("filter %d", int(f))
	}
	return filterNames[f]
}

func (f Filter) valid() bool { return f >= 0 && int(f) < len(filterNames) }

// kernel is the filter's weight at a distance in pixels, and the distance beyond
// which it is zero. The expressions are those of Pillow's src/libImaging/Resample.c,
// in its order; the conversions keep the compiler from fusing a product with a sum.
func (f Filter) kernel() (weight func(x float64) float64, support float64) {
	switch f {
	case Lanczos:
		return lanczos, 3
	case Bilinear:
		return func(x float64) float64 { return max(1-math.Abs(x), 0) }, 1
	case Bicubic:
		return cubic, 2
	case Box:
		return box, 0.5
	case Hamming:
		return hamming, 1
	case MKS2013:
		return mks2013, 2.5
	case MKS2021:
		return mks2021, 4.5
	}
	panic(fmt.Sprintf("imageprep: %v has no kernel", f))
}

func box(x float64) float64 {
	if x > -0.5 && x <= 0.5 {
		return 1
	}
	return 0
}

func hamming(x float64) float64 {
	const a, b = 0x1.147ae2p-1, 0x1.d70a3ep-2 // 0.54 and 0.46 in float32
	x = math.Abs(x)
	switch {
	case x == 0:
		return 1
	case x >= 1:
		return 0
	}
	x *= math.Pi
	return math.Sin(x) / x * (a + float64(b*math.Cos(x)))
}

func cubic(x float64) float64 {
	const a = -0.5
	x = math.Abs(x)
	switch {
	case x < 1:
		return float64((float64((a+2)*x)-(a+3))*x*x) + 1
	case x < 2:
		return (float64((float64((x-5)*x)+8)*x) - 4) * a
	}
	return 0
}

func lanczos(x float64) float64 {
	if -3 <= x && x < 3 {
		return sinc(x) * sinc(x/3)
	}
	return 0
}

func sinc(x float64) float64 {
	if x == 0 {
		return 1
	}
	x *= math.Pi
	return math.Sin(x) / x
}

func mks2013(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 0.5:
		return 17.0/16 - float64(7.0/4*float64(x*x))
	case x < 1.5:
		return (1 - x) * (7.0/4 - x)
	case x < 2.5:
		d := x - 5.0/2
		return -1.0 / 8 * float64(d*d)
	}
	return 0
}

func mks2021(x float64) float64 {
	x = math.Abs(x)
	switch {
	case x < 0.5:
		return 577.0/576 - float64(239.0/144*float64(x*x))
	case x < 1.5:
		return 35.0 / 36 * (x - 1) * (x - 239.0/140)
	case x < 2.5:
		return 1.0 / 6 * (x - 2) * (65.0/24 - x)
	case x < 3.5:
		return 1.0 / 36 * (x - 3) * (x - 15.0/4)
	case x < 4.5:
		d := x - 9.0/2
		return -1.0 / 288 * float64(d*d)
	}
	return 0
}
