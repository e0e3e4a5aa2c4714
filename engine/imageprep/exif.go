package imageprep

import (
	"bytes"
	"encoding/binary"
	"regexp"
)

// orientationTag is the EXIF tag of a camera's orientation.
const orientationTag = 0x0112

// xmpOrientation is how Pillow finds the orientation in an XMP packet.
var xmpOrientation = regexp.MustCompile(`tiff:Orientation(?:="|>)([0-9])`)

// orientation reads the tag from a TIFF structure, or else from an XMP packet; 1,
// upright, if neither has it.
func orientation(tiff, xmp []byte) int {
	if v, ok := tiffOrientation(tiff); ok {
		return v
	}
	if m := xmpOrientation.FindSubmatch(xmp); m != nil {
		return int(m[1][0] - '0')
	}
	return 1
}

// tiffOrientation reads the tag from the first directory.
func tiffOrientation(tiff []byte) (int, bool) {
	if len(tiff) < 8 {
		return 0, false
	}
	var order binary.ByteOrder = binary.LittleEndian
	if string(tiff[:2]) == "MM" {
		order = binary.BigEndian
	}
	at := int64(order.Uint32(tiff[4:]))
	if at+2 > int64(len(tiff)) {
		return 0, false
	}
	entries := tiff[at+2:]
	for range order.Uint16(tiff[at:]) {
		if len(entries) < 12 {
			break
		}
		if order.Uint16(entries) == orientationTag {
			switch order.Uint16(entries[2:]) {
			case 3: // SHORT
				return int(order.Uint16(entries[8:])), true
			case 4: // LONG
				return int(order.Uint32(entries[8:])), true
			}
		}
		entries = entries[12:]
	}
	return 0, false
}

// jpegOrientation looks into the APP1 segments before the first scan.
func jpegOrientation(data []byte) int {
	var tiff, xmp []byte
	for at := 2; at+4 <= len(data) && data[at] == 0xff; {
		marker, n := data[at+1], int(binary.BigEndian.Uint16(data[at+2:]))
		if marker == 0xff {
			at++
			continue
		}
		if marker == 0xda || n < 2 || at+2+n > len(data) {
			break
		}
		segment := data[at+4 : at+2+n]
		if rest, ok := bytes.CutPrefix(segment, []byte("Exif\x00\x00")); ok && marker == 0xe1 && tiff == nil {
			tiff = rest
		}
		if rest, ok := bytes.CutPrefix(segment, []byte("http://ns.adobe.com/xap/1.0/\x00")); ok && marker == 0xe1 {
			xmp = rest
		}
		at += 2 + n
	}
	return orientation(tiff, xmp)
}

// pngOrientation looks for the chunk eXIf.
func pngOrientation(data []byte) int {
	for at := 8; at+8 <= len(data); {
		n := int(binary.BigEndian.Uint32(data[at:]))
		if n > len(data)-at-8 {
			break
		}
		if string(data[at+4:at+8]) == "eXIf" {
			return orientation(data[at+8:at+8+n], nil)
		}
		at += 12 + n
	}
	return 1
}

// webpOrientation looks for the chunks EXIF and XMP.
func webpOrientation(data []byte) int {
	var tiff, xmp []byte
	webpChunks(data[12:], func(name string, p []byte) bool {
		switch name {
		case "EXIF":
			tiff = bytes.TrimPrefix(p, []byte("Exif\x00\x00"))
		case "XMP ":
			xmp = p
		}
		return true
	})
	return orientation(tiff, xmp)
}

// upright undoes an EXIF orientation from 2 to 8; of others the image is returned
// itself.
func (p *RGB) upright(orientation int) *RGB {
	if orientation < 2 || orientation > 8 {
		return p
	}
	out := NewRGB(p.Height, p.Width)
	if orientation >= 5 {
		out = NewRGB(p.Width, p.Height)
	}
	for y := range out.Height {
		dst := out.row(y)
		for x := range out.Width {
			row, col := y, x
			if orientation >= 5 {
				row, col = x, y
			}
			switch orientation {
			case 2, 8:
				col = p.Width - 1 - col
			case 4, 6:
				row = p.Height - 1 - row
			case 3, 7:
				row, col = p.Height-1-row, p.Width-1-col
			}
			copy(dst[3*x:3*x+3], p.Pix[3*(row*p.Width+col):])
		}
	}
	return out
}
