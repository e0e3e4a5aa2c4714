package vlm

import (
	"fmt"
	"math"
	"strconv"
	"strings"

	"siglab/engine/decoder"
	"siglab/engine/imageprep"
	"siglab/engine/modelconfig"
	"siglab/posembed"
)

// tiling is how LLaVA-OneVision arranges the features of an image that was cut into
// tiles: after those of the whole image come those of the tiles, as one picture, a
// token at the end of each of its rows.
type tiling struct {
	most int // tiles' worth of features that the picture is shrunk to
}

// parseOneVision reads a LlavaOnevisionForConditionalGeneration: LLaVA with a Qwen2
// and images of any resolution.
func parseOneVision(o *modelconfig.Object) architecture {
	a := architecture{
		tower:      parseTower(o, "siglip_vision_model"),
		decoder:    decoder.ParseConfig(o.Object("text_config"), "qwen2"),
		imageToken: parseImageToken(o, 151646),
		dropFirst:  parseDropFirst(o, "full"),
		tiling:     &tiling{},
	}
	parseTied(o, &a.decoder, false)
	a.tower.States = parseStates(o, a.tower.Layers, -1)
	a.projector = parseTwoLayers(o, a.tower, a.decoder)
	const key = "vision_aspect_ratio"
	most, err := strconv.Atoi(strings.TrimPrefix(o.String(key, "anyres_max_9"), "anyres_max_"))
	if err != nil || most < 1 || most > 1<<10 {
		o.Reject(key, "want anyres_max_ and a number of tiles")
	}
	a.tiling.most = most
	if a.dropFirst {
		o.Reject("vision_feature_select_strategy", "the features of tiles make no picture without their first")
	}
	return a
}

// picture is the part of a tiled image's features that shows its tiles: the grid of
// all tiles, the part of it that the image covers, and the size that this is shrunk
// to.
type picture struct {
	grid                   posembed.Grid // of features of all tiles
	top, left, rows, cols  int           // what is left without the padding
	shrunkRows, shrunkCols int
}

// arrange is the picture of an image of tiles with a grid each; the arithmetic, with
// its roundings, is transformers' pack_image_features (modeling_llava_onevision.py).
// An image narrower than a feature may have none left: its rows are then ends only.
func (t *tiling) arrange(in imageprep.Input, tile posembed.Grid) (picture, error) {
	p := picture{grid: posembed.Grid{Rows: in.Rows * tile.Rows, Cols: in.Cols * tile.Cols}}
	p.rows, p.cols = p.grid.Rows, p.grid.Cols
	height, width := float64(in.ImageHeight), float64(in.ImageWidth)
	if width/height > float64(p.cols)/float64(p.rows) {
		kept := int(roundTo7(height * (float64(p.cols) / width)))
		p.top = (p.rows - kept) / 2
		p.rows -= 2 * p.top
	} else {
		kept := int(roundTo7(width * (float64(p.rows) / height)))
		p.left = (p.cols - kept) / 2
		p.cols -= 2 * p.left
	}
	p.shrunkRows, p.shrunkCols = p.rows, p.cols
	ratio := math.Sqrt(float64(p.rows*p.cols) / float64(t.most*tile.Rows*tile.Rows))
	if ratio > 1.1 {
		p.shrunkRows, p.shrunkCols = int(math.Floor(float64(p.rows)/ratio)), int(math.Floor(float64(p.cols)/ratio))
	}
	if p.shrunkRows < 1 && p.rows > 0 || p.shrunkCols < 1 && p.cols > 0 {
		return p, fmt.Errorf("an image of %dx%d pixels (height x width) would be shrunk to no features: it is too narrow for this model", in.ImageHeight, in.ImageWidth)
	}
	return p, nil
}

// roundTo7 is Python's round(x, 7) for positive numbers.
func roundTo7(x float64) float64 {
	rounded, err := strconv.ParseFloat(strconv.FormatFloat(x, 'f', 7, 64), 64)
	if err != nil {
		return x
	}
	return rounded
}

// tokens is the number of image tokens of the picture, line ends included.
func (p picture) tokens() int { return p.shrunkRows * (p.shrunkCols + 1) }

// pack writes the picture of the tiles' features, [tile.Len(), hidden] each and tile
// by tile, with a line end [hidden] behind every row.
func (p picture) pack(tiles []float32, tile posembed.Grid, newline []float32) []float32 {
	hidden := len(newline)
	kept := make([]float32, 0, p.rows*p.cols*hidden)
	for y := p.top; y < p.top+p.rows; y++ {
		for x := p.left; x < p.left+p.cols; x++ {
			which := y/tile.Rows*(p.grid.Cols/tile.Cols) + x/tile.Cols
			at := (which*tile.Len() + y%tile.Rows*tile.Cols + x%tile.Cols) * hidden
			kept = append(kept, tiles[at:][:hidden]...)
		}
	}
	if p.shrunkRows != p.rows || p.shrunkCols != p.cols {
		kept = shrink(kept, p.rows, p.cols, p.shrunkRows, p.shrunkCols, hidden)
	}
	packed := make([]float32, 0, p.tokens()*hidden)
	for y := range p.shrunkRows {
		packed = append(packed, kept[y*p.shrunkCols*hidden:][:p.shrunkCols*hidden]...)
		packed = append(packed, newline...)
	}
	return packed
}

// shrink resizes features [rows, cols, dim] bilinearly, without antialiasing, as
// torch's interpolate does by default.
func shrink(x []float32, rows, cols, toRows, toCols, dim int) []float32 {
	y := make([]float32, 0, toRows*toCols*dim)
	down, across := taps(rows, toRows), taps(cols, toCols)
	for _, v := range down {
		for _, h := range across {
			for i := range dim {
				top := x[(v.low*cols+h.low)*dim+i]*(1-h.weight) + x[(v.low*cols+h.high)*dim+i]*h.weight
				bottom := x[(v.high*cols+h.low)*dim+i]*(1-h.weight) + x[(v.high*cols+h.high)*dim+i]*h.weight
				y = append(y, top*(1-v.weight)+bottom*v.weight)
			}
		}
	}
	return y
}

// tap are the two neighbours of an output along an axis and the weight of the second.
type tap struct {
	low, high int
	weight    float32
}

// taps are those of n outputs over size inputs, in half-pixel coordinates.
func taps(size, n int) []tap {
	all := make([]tap, n)
	scale := float32(size) / float32(n)
	for i := range all {
		at := max(0, scale*(float32(i)+0.5)-0.5)
		low := min(int(at), size-1)
		all[i] = tap{low, min(low+1, size-1), at - float32(low)}
	}
	return all
}
