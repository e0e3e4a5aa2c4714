package runlog

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
)

// A manifest holds the hash of its own text, in which noSum stands in the hash's place:
// a verdict rests on what was planned as much as on what was seen.
const noSum = "0000000000000000000000000000000000000000000000000000000000000000"

// signed puts the hash of a text in the place of its first noSum.
func signed(text []byte) []byte {
	sum := sha256.Sum256(text)
	return bytes.Replace(text, []byte(noSum), []byte(hex.EncodeToString(sum[:])), 1)
}

// checkSum reports whether a text is the one that was signed. One without a hash, as
// earlier versions wrote it, is taken as it is.
func checkSum(text []byte, sum string) error {
	if sum == "" || bytes.Equal(signed(bytes.Replace(text, []byte(sum), []byte(noSum), 1)), text) {
		return nil
	}
	return errors.New("it is not what siglab wrote (its SHA-256 differs), so no result is made of it: restore the file, or measure again")
}
