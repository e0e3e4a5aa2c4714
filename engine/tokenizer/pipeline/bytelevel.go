package pipeline

import "strings"

// runeOfByte returns the visible rune that byte-level vocabularies write for a
// byte (GPT-2's bytes_to_unicode): printable Latin-1 stands for itself, the
// other 68 bytes for U+0100 and up, in order.
func runeOfByte(b byte) rune {
	switch {
	case b >= '!' && b <= '~', b >= 0xa1 && b <= 0xac, b >= 0xae:
		return rune(b)
	case b <= ' ':
		return 0x100 + rune(b)
	case b <= 0xa0: // 0x7f … 0xa0
		return 0x121 + rune(b) - 0x7f
	default: // 0xad
		return 0x143
	}
}

// byteOfRune is the inverse of runeOfByte.
func byteOfRune(r rune) (byte, bool) {
	switch {
	case r >= 0x100 && r <= 0x120:
		return byte(r - 0x100), true
	case r >= 0x121 && r <= 0x142:
		return byte(r - 0x121 + 0x7f), true
	case r == 0x143:
		return 0xad, true
	case r >= 0 && r < 0x100 && runeOfByte(byte(r)) == r:
		return byte(r), true
	}
	return 0, false
}

// bytesToRunes writes each byte of s as its visible rune.
func bytesToRunes(s string) string {
	var b strings.Builder
	b.Grow(len(s) + len(s)/4)
	for i := range len(s) {
		b.WriteRune(runeOfByte(s[i]))
	}
	return b.String()
}

// runesToBytes is the inverse of bytesToRunes. A string that is not all
// visible runes of bytes is returned as it is, as the library does.
func runesToBytes(s string) string {
	raw := make([]byte, 0, len(s))
	for _, r := range s {
		b, ok := byteOfRune(r)
		if !ok {
			return s
		}
		raw = append(raw, b)
	}
	return string(raw)
}
